"""Bars of jobs that run side by side: the epochs of each, and all jobs with the time left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.training.run import METRICS, Run

WINDOW = 24 * 3600.0
"""Seconds of the past from which the time left is estimated: a job takes up to hours."""


@dataclass
class Shown:
    """The bar of a job that runs.

    Args:
        task: The bar.
        total: Epochs that the job takes; None if that is not known.
        epochs: Those done.
    """

    task: TaskID
    total: int | None
    epochs: int = 0

    @property
    def share(self) -> float:
        """How much of the job is done, 0 to 1; 0 where its length is not known."""
        return self.epochs / self.total if self.total else 0.0


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
        self._shown: dict[str, Shown] = {}

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
        task = self._progress.add_task(job.sentence, total=total, epochs="")
        self._shown[job.key] = Shown(task, total)

    def moved(self, running: Iterable[Job]) -> None:
        """Show how far the running jobs are."""
        minutes = self._minutes
        for job in running:
            shown = self._shown[job.key]
            self._count_epochs(job, shown)
            epochs = shown.epochs
            self._progress.update(shown.task, completed=epochs, epochs=f"epoch {epochs}")
            minutes += job.minutes * shown.share
        self._progress.update(self._all, completed=minutes)

    def ended(self, job: Job, sentence: str) -> None:
        """Take a job away that is done or has failed, and say so."""
        self._minutes += job.minutes
        self._ended += 1
        self._progress.remove_task(self._shown.pop(job.key).task)
        outcome = f"{job.sentence} failed" if sentence else job.sentence
        self._progress.console.print(f"{self._ended} of {self._count}: {outcome}")

    def _count_epochs(self, job: Job, shown: Shown) -> None:
        """Count the epochs of all trainings of a job so far."""
        try:
            runs = [Run(path.parent) for path in self._bench.folder(job).rglob(METRICS)]
            shown.epochs = sum(run.epochs_logged() for run in runs)
        except OSError:
            pass  # a folder went while it was looked into: its process tidies up
