"""What the results say, experiment by experiment: means over seeds, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
        low: Of its 95 % interval: Student's over the seeds, within 0 and 1, or the seeds' mean
            bootstrap interval, whichever is wider; of a single seed the bootstrap interval.
        high: The same, upwards.
        seeds: How many.
        faces: How many a seed was judged on, on average.
    """

    value: float
    low: float
    high: float
    seeds: int
    faces: int


def summarise(figures: Sequence[Figure]) -> Summary:
    """Return the mean of one or more seeds' figures, which are shares."""
    values = [figure.value for figure in figures]
    low, high = (float(np.mean([getattr(f, end) for f in figures])) for end in ("low", "high"))
    mean, faces = float(np.mean(values)), round(float(np.mean([f.images for f in figures])))
    if len(values) > 1:
        over_seeds = spread(values, mean, (low, high))
        if over_seeds.high - over_seeds.low > high - low:
            low, high = max(over_seeds.low, 0.0), min(over_seeds.high, 1.0)
    return Summary(mean, low, high, len(values), faces)


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
        return summarise(found) if found else None

    def honest(self, paper: str, experiment: Experiment, metric: str) -> Summary | None:
        """Return a test figure without leakage; of an average, of all folds together."""
        split: Split = "folds" if experiment.kind == "crossval" else "test"
        return self.summary(paper, experiment, "honest", split, metric)
