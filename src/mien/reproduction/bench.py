"""Where jobs are run: the datasets at hand and the folder of the runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.reproduction.job import Job
from mien.reproduction.library import Library
from mien.reproduction.store import Store


@dataclass(frozen=True)
class Bench:
    """What jobs need.

    Args:
        library: The datasets.
        runs: Where weights and everything else go that is too large for results.
        progress: Whether to show bars.
    """

    library: Library
    runs: Path
    progress: bool = True

    def folder(self, job: Job) -> Path:
        """Return where a job's run goes."""
        return self.runs / job.key

    def missing(self, job: Job, store: Store) -> frozenset[str]:
        """Return the names of the datasets that are needed for what is left to run of a job."""
        left = [] if store.done(job) else job.members or [job]
        needed = (one.datasets() for one in left if not store.done(one))
        return frozenset[str]().union(*needed) - self.library.names
