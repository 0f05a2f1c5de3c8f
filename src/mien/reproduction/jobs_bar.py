"""Bars of jobs that run side by side: the epochs of each, and all jobs with the time left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.training.run import METRICS, Run

WINDOW = 24 * 3600.0
"""Seconds of the past from which the time left is estimated: a job takes up to hours."""


class JobsBar:
    """Shows jobs while they run, and prints a line as each ends. It is a context manager.

    Args:
        jobs: All that are to be run.
        bench: Where they run; it also says whether to show anything.
    """

    def __init__(self, jobs: Sequence[Job], bench: Bench) -> None:
        self._bench, self._count, self._ended = bench, len(jobs), 0
        self._minutes = 0.0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[epochs]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False, quiet=not bench.progress),
            speed_estimate_period=WINDOW,
            disable=not bench.progress,
        )
        total = sum(job.minutes for job in jobs)
        self._all = self._progress.add_task(f"All {self._count}", total=total, epochs="")
        self._tasks: dict[str, TaskID] = {}
        self._totals: dict[str, int | None] = {}
        self._epochs: dict[str, int] = {}

    def __enter__(self) -> JobsBar:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def started(self, job: Job) -> None:
        """Show a job that begins, or goes on."""
        total = job.recipe().training.epochs if job.experiment.kind == "train" else None
        self._totals[job.key] = total
        self._tasks[job.key] = self._progress.add_task(job.sentence, total=total, epochs="")

    def moved(self, running: Iterable[Job]) -> None:
        """Show how far the running jobs are."""
        minutes = self._minutes
        for job in running:
            epochs, total = self._epochs_of(job), self._totals[job.key]
            self._progress.update(self._tasks[job.key], completed=epochs, epochs=f"epoch {epochs}")
            minutes += job.minutes * epochs / total if total else 0.0
        self._progress.update(self._all, completed=minutes)

    def ended(self, job: Job, sentence: str) -> None:
        """Take a job away that is done or has failed, and say so."""
        self._minutes += job.minutes
        self._ended += 1
        self._progress.remove_task(self._tasks.pop(job.key))
        outcome = f"{job.sentence} failed" if sentence else job.sentence
        self._progress.console.print(f"{self._ended} of {self._count}: {outcome}")

    def _epochs_of(self, job: Job) -> int:
        """Count the epochs of all trainings of a job so far."""
        try:
            runs = [Run(path.parent) for path in self._bench.folder(job).rglob(METRICS)]
            self._epochs[job.key] = sum(run.epochs_logged() for run in runs)
        except OSError:
            pass  # a folder went while it was looked into: its process tidies up
        return self._epochs.get(job.key, 0)
