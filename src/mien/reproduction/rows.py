"""A paper's table: a row for each figure that the paper gives, and for each experiment without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mien.recipe import find_recipe, load_recipe
from mien.reproduction.findings import Findings, Summary
from mien.reproduction.plan import Experiment
from mien.reproduction.protocols import Protocol
from mien.reproduction.result import Result, Split


@dataclass(frozen=True)
class Row:
    """One figure of a paper beside ours.

    Args:
        paper: The plan's short name.
        experiment: The experiment.
        split: What the paper's figure is of.
        reported: The paper's figure; None where it gives none.
        measured: Ours under the paper's protocol.
        honest: Ours of test under the honest one.
        macro_f1: The same figure's macro F1.
        results: What it is from.
        waiting: Minutes that are still to be run, by protocol; about.
        why_not: Why it cannot be run with public data; "" where it can.
    """

    paper: str
    experiment: Experiment
    split: Split
    reported: float | None
    measured: Summary | None
    honest: Summary | None
    macro_f1: Summary | None
    results: tuple[Result, ...]
    waiting: Mapping[Protocol, float]
    why_not: str

    @property
    def verdict(self) -> str:
        """How our figure under the paper's protocol stands to the paper's, in words."""
        if self.reported is None or self.measured is None:
            return ""
        if self.experiment.altered:
            return "altered"
        if self.measured.low > self.reported:
            return "exceeded"
        if self.measured.value >= self.reported:
            return "reached"
        if self.measured.high >= self.reported:
            return "within the interval"
        return f"{100 * (self.reported - self.measured.value):.1f} points less"


def rows_of(findings: Findings, paper: str) -> Iterator[Row]:
    """Give the rows of a paper's table, in the order of its plan."""
    for experiment in findings.plans[paper].experiments:
        if experiment.kind != "average":
            for split, value in reported(experiment):
                yield _row(findings, paper, experiment, split, value)


def reported(experiment: Experiment) -> list[tuple[Split, float | None]]:
    """Return what the paper reports, the recipe's expected figures; a place for ours if nothing.

    A figure of other data than ours is not compared with.
    """
    if experiment.kind == "crossval":
        return [("folds", None)]
    path = find_recipe(experiment.recipe)
    recipe = load_recipe(path, experiment.overrides)
    same = recipe.data.dataset == load_recipe(path).data.dataset
    figures = [(f.split, f.value if same else None) for f in recipe.expected if f.split != "train"]
    return [*figures] or [("test", None)]


def _row(
    findings: Findings, paper: str, experiment: Experiment, split: Split, value: float | None
) -> Row:
    protocols = shown(experiment)
    results = {p: findings.of(paper, experiment, p) for p in protocols}
    jobs = {p: findings.planned(paper, experiment, p) for p in protocols}
    done = {result.key for found in results.values() for result in found}
    waiting = {p: sum(job.minutes for job in jobs[p] if job.key not in done) for p in protocols}
    return Row(
        paper=paper,
        experiment=experiment,
        split=split,
        reported=value,
        measured=findings.summary(paper, experiment, "paper", split),
        honest=findings.honest(paper, experiment, "accuracy"),
        macro_f1=findings.honest(paper, experiment, "macro_f1"),
        results=tuple(result for found in results.values() for result in found),
        waiting={protocol: minutes for protocol, minutes in waiting.items() if minutes},
        why_not=jobs[protocols[0]][0].why_not(),
    )


def shown(experiment: Experiment) -> list[Protocol]:
    """Return the protocols of the paper's table; the third is for measuring leaks."""
    return [protocol for protocol in experiment.protocols if protocol != "leaky"]
