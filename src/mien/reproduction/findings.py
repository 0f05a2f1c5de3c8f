"""What the results say, experiment by experiment: means over seeds, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

from mien.evaluation.seeds.summary import Summary, summarise
from mien.reproduction.job import Job, jobs_of
from mien.reproduction.plan import Experiment, Plans
from mien.reproduction.protocols import Protocol
from mien.reproduction.result import Result, Split
from mien.reproduction.store import Store


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
