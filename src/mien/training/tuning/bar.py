"""A bar over the trials of a study, and one printed line per trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from mien.training.tuning.records import Record


class StudyBar:
    """Shows how far a study is.

    Args:
        trials: How many will be tried, over all workers.
        epochs: Of a trial.
        show: Whether to show anything.
    """

    def __init__(self, trials: int, epochs: int, *, show: bool) -> None:
        self._console = Console(stderr=True, quiet=not show)
        self._epochs = epochs
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not show,
        )
        self._task = self._progress.add_task("Tuning", total=trials)

    def __enter__(self) -> StudyBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tried(self, count: int) -> None:
        """Show how many trials are over."""
        self._progress.update(self._task, completed=count, description="Tuning")

    def waiting(self, busy: int) -> None:
        """Show that nothing is left but what other workers train, or have died of."""
        text = f"Waiting for other workers, {busy} running"
        self._progress.update(self._task, description=text)

    def epoch(self, trial: int, epoch: int) -> None:
        """Show how far a trial is."""
        text = f"Trial {trial}, epoch {epoch}/{self._epochs}"
        self._progress.update(self._task, description=text)

    def line(self, record: Record, best: Record | None, select: str) -> None:
        """Print what became of a trial."""
        text = f"Trial {record.number:4d}  {record.state:9}"
        if record.value is not None:
            text += f"  {select} {record.value:.4f}"
        text += f"  {settings(record.values)}"
        if record.reason:
            text += f"  {record.reason}"
        elif record == best:
            text += "  best so far"
        self._console.print(Text(text), soft_wrap=True)


def settings(values: Mapping[str, Any]) -> str:
    """Return the values of a trial in one line."""
    return " ".join(f"{key}={shown(value)}" for key, value in values.items())


def shown(value: Any) -> str:
    """Return a value as people write it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
