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
        runs: Where weights, predictions and everything else go that is too large for results.
        progress: Whether to show bars.
    """

    library: Library
    runs: Path
    progress: bool = True

    def folder(self, job: Job) -> Path:
        """Return where a job's run goes."""
        return self.runs / job.key

    def missing(self, job: Job, store: Store) -> frozenset[str]:
        """Return the names of the datasets that a job lacks; an average of results needs none."""
        trained = (one for one in job.members or (job,) if one not in store)
        return frozenset[str]().union(*(one.datasets() for one in trained)) - self.library.names
