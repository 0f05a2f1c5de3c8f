"""How much of a figure is leakage: the same recipe with the leaks left in and without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mien.evaluation.folds.spread import spread
from mien.evaluation.seeds.summary import Summary, summarise
from mien.reproduction.findings import Findings, same_faces
from mien.reproduction.plan import Experiment
from mien.reproduction.protocols import OVERRIDES, Protocol
from mien.reproduction.result import Result
from mien.reproduction.twins import SUBSETS, rest_of


@dataclass(frozen=True)
class OnTwins:
    """What the test faces that have an identical twin in train or val make.

    Args:
        leaky: Accuracy on them with the leaks left in.
        honest: Without.
        share: How many of the test faces they are.
    """

    leaky: float
    honest: float
    share: float

    @property
    def difference(self) -> float:
        """What they alone make of the difference on all faces; the rest is chance of training."""
        return self.share * (self.leaky - self.honest)


@dataclass(frozen=True)
class Leak:
    """An experiment's test accuracy with and without leaks.

    Args:
        paper: The plan's short name.
        experiment: The experiment.
        dataset: Its name.
        leaky: With the leaks left in.
        honest: Without.
        difference: Of the means, over the seeds that both were run with.
        low: Of its 95 % interval, Student's over the seeds; None of one seed.
        high: The same, upwards.
        twins: Of the test faces that have an identical twin in train or val; None where the two
            ways are tested on different faces, or there are no such faces.
    """

    paper: str
    experiment: Experiment
    dataset: str
    leaky: Summary
    honest: Summary
    difference: float
    low: float | None
    high: float | None
    twins: OnTwins | None


def leaks(findings: Findings) -> Iterator[Leak]:
    """Give every experiment that was run both ways with a seed in common, and as precisely."""
    for paper, plan in findings.plans.items():
        for experiment in plan.experiments:
            protocol = left_in(findings, paper, experiment)
            if protocol is None:
                continue
            pairs = _pairs(findings, paper, experiment, protocol)
            if pairs:
                yield _leak(paper, experiment, pairs)


def left_in(findings: Findings, paper: str, experiment: Experiment) -> Protocol | None:
    """Return the protocol that differs from the honest one by the leaks alone; None without one.

    The paper's own is it, where it selects without test and divides at random.
    """
    if experiment.kind != "train" or "honest" not in experiment.protocols:
        return None
    if "leaky" in experiment.protocols:
        return "leaky"
    job = next(iter(findings.planned(paper, experiment, "paper")), None)
    if job is None or job.recipe().data.dataset not in OVERRIDES:
        return None
    return "paper" if job.recipe() == replace(job, protocol="leaky").recipe() else None


def _pairs(
    findings: Findings, paper: str, experiment: Experiment, protocol: Protocol
) -> list[tuple[Result, Result]]:
    honest = {result.seed: result for result in findings.of(paper, experiment, "honest")}
    leaky = findings.of(paper, experiment, protocol)
    pairs = [(result, honest[result.seed]) for result in leaky if result.seed in honest]
    return [pair for pair in pairs if len({one.environment.precision for one in pair}) == 1]


def _leak(paper: str, experiment: Experiment, pairs: list[tuple[Result, Result]]) -> Leak:
    figures = [[result.accuracy("test") for result in column] for column in zip(*pairs)]
    leaky, honest = (
        summarise(column, same_faces=same_faces(results))
        for column, results in zip(figures, zip(*pairs))
    )
    differences = [first.value - second.value for first, second in zip(*figures)]
    over_seeds = spread(differences, 0.0, (0.0, 0.0)) if len(pairs) > 1 else None
    return Leak(
        paper=paper,
        experiment=experiment,
        dataset=pairs[0][0].data.name,
        leaky=leaky,
        honest=honest,
        difference=float(np.mean(differences)),
        low=over_seeds.low if over_seeds else None,
        high=over_seeds.high if over_seeds else None,
        twins=_on_twins(pairs),
    )


def _on_twins(pairs: list[tuple[Result, Result]]) -> OnTwins | None:
    """Return the mean accuracies on the faces that "all" has more than "without leaked"."""
    if len({result.data.fingerprint for pair in pairs for result in pair}) > 1:
        return None
    columns = []
    for column in zip(*pairs):
        every, some = ([r.accuracy("test", subset) for r in column] for subset in SUBSETS)
        columns.append((*rest_of(every, some), sum(figure.images for figure in every)))
    (leaky, _, _), (honest, twins, faces) = columns
    return None if leaky is None or honest is None else OnTwins(leaky, honest, twins / faces)
