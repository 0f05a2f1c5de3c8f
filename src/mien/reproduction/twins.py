"""What identical images add to the papers' own figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mien.card import Figure
from mien.evaluation.seeds.summary import Summary, summarise
from mien.reproduction.findings import Findings, same_faces
from mien.reproduction.plan import Experiment
from mien.reproduction.result import Split
from mien.reproduction.rows import reported

SUBSETS = ("all", "without leaked")
"""The subsets of a report, all faces and those without a twin that was learnt from."""


@dataclass(frozen=True)
class Twins:
    """A figure of a paper's own division, with and without the faces whose twin is in training.

    Args:
        paper: The plan's short name.
        experiment: The experiment.
        split: What the paper's figure is of.
        every: The accuracy on all faces.
        without: On those without a twin.
        alone: On those with one.
        faces: How many these are, on average over the seeds.
    """

    paper: str
    experiment: Experiment
    split: Split
    every: Summary
    without: Summary
    alone: float
    faces: int


def own_twins(findings: Findings) -> Iterator[Twins]:
    """Give the figures under the papers' protocols that some twins are in."""
    for paper, plan in findings.plans.items():
        for experiment in plan.experiments:
            if experiment.kind == "train":
                found = _own(findings, paper, experiment)
                if found is not None:
                    yield found


def _own(findings: Findings, paper: str, experiment: Experiment) -> Twins | None:
    split = reported(experiment)[0].split
    results = findings.of(paper, experiment, "paper")
    every, without = ([r.accuracy(split, subset) for r in results] for subset in SUBSETS)
    alone, faces = rest_of(every, without)
    if alone is None:
        return None
    return Twins(
        paper=paper,
        experiment=experiment,
        split=split,
        every=summarise(every, same_faces=same_faces(results)),
        without=summarise(without, same_faces=same_faces(results)),
        alone=alone,
        faces=round(faces / len(results)),
    )


def rest_of(every: Sequence[Figure], some: Sequence[Figure]) -> tuple[float | None, int]:
    """Return the accuracy on the faces that only the first figures are of, and how many."""
    more = sum(a.images - b.images for a, b in zip(every, some))
    right = sum(a.value * a.images - b.value * b.images for a, b in zip(every, some))
    return (right / more if more else None), more
