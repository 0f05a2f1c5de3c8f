"""A paper's table: a row for each figure that the paper gives, and for each experiment without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import hypot
from typing import Literal, NamedTuple

from mien.evaluation.seeds.summary import Summary
from mien.evaluation.unvaried import wilson
from mien.recipe import find_recipe, load_recipe
from mien.reproduction.findings import Findings
from mien.reproduction.plan import Experiment
from mien.reproduction.protocols import Protocol
from mien.reproduction.result import Result, Split

Outcome = Literal["higher", "lower", "not told apart"]


class Reported(NamedTuple):
    """What a paper reports.

    Args:
        split: What it is of.
        value: The figure; None where there is none, or it is of other data than ours.
        faces: How many faces it is of, as far as that can be told.
    """

    split: Split
    value: float | None = None
    faces: int = 0


class Difference(NamedTuple):
    """By how much our figure is above the paper's, with a 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One figure of a paper beside ours.

    Args:
        paper: The plan's short name.
        experiment: The experiment.
        reported: The paper's figure.
        measured: Ours under the paper's protocol.
        honest: Ours of test under the honest one.
        macro_f1: The same figure's macro F1.
        results: What it is from.
        waiting: Minutes that are still to be run, by protocol; about.
        why_not: Why it cannot be run with public data; "" where it can.
    """

    paper: str
    experiment: Experiment
    reported: Reported
    measured: Summary | None
    honest: Summary | None
    macro_f1: Summary | None
    results: tuple[Result, ...]
    waiting: Mapping[Protocol, float]
    why_not: str

    @property
    def split(self) -> Split:
        """What the paper's figure is of, and ours under its protocol."""
        return self.reported.split

    @property
    def difference(self) -> Difference | None:
        """Our figure under the paper's protocol less the paper's; None where one is missing.

        The interval has the chance of both, added in squares on either side (Newcombe, "Interval
        estimation for the difference between independent proportions", Statistics in Medicine 17,
        1998, method 10).
        """
        (_, value, faces), ours = self.reported, self.measured
        if value is None or not faces or ours is None or self.experiment.altered:
            return None
        low, high = wilson(value * faces, faces)
        below = hypot(ours.value - ours.low, high - value)
        above = hypot(ours.high - ours.value, value - low)
        found = ours.value - value
        return Difference(found, found - below, found + above)

    @property
    def outcome(self) -> Outcome | None:
        """How our figure stands to the paper's; None where they are not compared."""
        if self.difference is None:
            return None
        if self.difference.low > 0:
            return "higher"
        return "lower" if self.difference.high < 0 else "not told apart"


def rows_of(findings: Findings, paper: str) -> Iterator[Row]:
    """Give the rows of a paper's table, in the order of its plan."""
    for experiment in findings.plans[paper].experiments:
        if experiment.kind != "average":
            for figure in reported(experiment):
                yield _row(findings, paper, experiment, figure)


def reported(experiment: Experiment) -> list[Reported]:
    """Return what the paper reports, the recipe's expected figures; a place for ours if nothing.

    A figure of other data than ours is not compared with.
    """
    if experiment.kind == "crossval":
        return [Reported("folds")]
    path = find_recipe(experiment.recipe)
    recipe = load_recipe(path, experiment.overrides)
    same = recipe.data.dataset == load_recipe(path).data.dataset
    figures = [
        Reported(f.split, f.value, f.faces) if same else Reported(f.split)
        for f in recipe.expected
        if f.split != "train"
    ]
    return figures or [Reported("test")]


def _row(findings: Findings, paper: str, experiment: Experiment, figure: Reported) -> Row:
    protocols = shown(experiment)
    results = {p: findings.of(paper, experiment, p) for p in protocols}
    jobs = {p: findings.planned(paper, experiment, p) for p in protocols}
    done = {result.key for found in results.values() for result in found}
    waiting = {p: sum(job.minutes for job in jobs[p] if job.key not in done) for p in protocols}
    return Row(
        paper=paper,
        experiment=experiment,
        reported=figure,
        measured=findings.summary(paper, experiment, "paper", figure.split),
        honest=findings.honest(paper, experiment, "accuracy"),
        macro_f1=findings.honest(paper, experiment, "macro_f1"),
        results=tuple(result for found in results.values() for result in found),
        waiting={protocol: minutes for protocol, minutes in waiting.items() if minutes},
        why_not=jobs[protocols[0]][0].why_not(),
    )


def shown(experiment: Experiment) -> list[Protocol]:
    """Return the protocols of the paper's table; the third is for measuring leaks."""
    return [protocol for protocol in experiment.protocols if protocol != "leaky"]
