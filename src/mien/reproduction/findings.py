"""What the results say, experiment by experiment: means over seeds, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np

from mien.card import Figure
from mien.evaluation.spread import spread
from mien.reproduction.job import Job, jobs_of
from mien.reproduction.plan import Experiment, Plans
from mien.reproduction.protocols import Protocol
from mien.reproduction.result import Result, Split
from mien.reproduction.store import Store


@dataclass(frozen=True)
class Summary:
    """A figure over seeds.

    Args:
        value: The mean.
        low: Of its 95 % interval, within 0 and 1. Of a single seed it is the bootstrap interval.
            Of several that were judged on the same faces it is this, which they share, and
            Student's over the seeds, added in squares; of those whose faces differ the wider of
            both, for the spread over them has the chance of faces in it.
        high: The same, upwards.
        seeds: How many.
        faces: How many a seed was judged on, on average.
    """

    value: float
    low: float
    high: float
    seeds: int
    faces: int


def summarise(figures: Sequence[Figure], *, same_faces: bool) -> Summary:
    """Return the mean of one or more seeds' figures, which are shares.

    Args:
        figures: Of each seed.
        same_faces: Whether all were judged on the same faces.
    """
    values = [figure.value for figure in figures]
    low, high = (float(np.mean([getattr(f, end) for f in figures])) for end in ("low", "high"))
    mean, faces = float(np.mean(values)), round(float(np.mean([f.images for f in figures])))
    if len(values) > 1:
        over_seeds = spread(values, mean, (low, high))
        half = over_seeds.high - mean
        if same_faces:
            low, high = mean - hypot(mean - low, half), mean + hypot(high - mean, half)
        elif 2 * half > high - low:
            low, high = mean - half, mean + half
    return Summary(mean, max(low, 0.0), min(high, 1.0), len(values), faces)


def same_faces(results: Sequence[Result]) -> bool:
    """Say whether results are of the same faces, divided in the same way."""
    return len({result.data.fingerprint for result in results}) <= 1


class Findings:
    """The results of some plans.

    Args:
        plans: The plans.
        store: Where the results are.

    Raises:
        MienError: If a result is damaged or was made with another recipe.
    """

    def __init__(self, plans: Plans, store: Store) -> None:
        self.plans = plans
        self.store = store
        self.jobs = {
            job.key: job for paper in plans for job in jobs_of(plans, paper, quick=store.quick)
        }
        self._results = {key: store.read(job) for key, job in self.jobs.items() if job in store}

    def of(self, paper: str, experiment: Experiment, protocol: Protocol) -> list[Result]:
        """Return the results of an experiment under a protocol, by seed."""
        jobs = self.planned(paper, experiment, protocol)
        return [self._results[job.key] for job in jobs if job.key in self._results]

    def planned(self, paper: str, experiment: Experiment, protocol: Protocol) -> list[Job]:
        """Return the jobs of an experiment under a protocol, whether they were run or not."""
        return [
            job
            for job in self.jobs.values()
            if (job.paper, job.experiment, job.protocol) == (paper, experiment, protocol)
        ]

    def progress(self, paper: str) -> tuple[int, list[Job]]:
        """Return how many jobs of a paper were run, and those that public data allows besides."""
        jobs = [job for job in self.jobs.values() if job.paper == paper]
        waiting = [job for job in jobs if not self.store.done(job)]
        return len(jobs) - len(waiting), [job for job in waiting if not job.why_not()]

    def all(self) -> list[Result]:
        """Return all results, in the order of the plans."""
        return list(self._results.values())

    def summary(
        self,
        paper: str,
        experiment: Experiment,
        protocol: Protocol,
        split: Split,
        metric: str = "accuracy",
    ) -> Summary | None:
        """Return a figure over the seeds that were run; None if none was."""
        results = self.of(paper, experiment, protocol)
        figures = [result.figure(metric, split) for result in results]
        found = [figure for figure in figures if figure is not None]
        return summarise(found, same_faces=same_faces(results)) if found else None

    def honest(self, paper: str, experiment: Experiment, metric: str) -> Summary | None:
        """Return a test figure without leakage; of an average, of all folds together."""
        split: Split = "folds" if experiment.kind == "crossval" else "test"
        return self.summary(paper, experiment, "honest", split, metric)
