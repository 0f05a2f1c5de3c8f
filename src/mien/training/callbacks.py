"""What happens around the steps: seeds, a log that survives a kill, a bar with the time left."""

from __future__ import annotations

import csv
import math
import time
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    WeightAveraging,
)
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from mien.files import whole_file
from mien.recipe import SchedulePart, TrainingPart
from mien.training.schedules import build_plateau, direction

PAUSE = 0.1
"""Seconds between two movements of the bar."""


class EpochSeed(Callback):
    """Seeds each epoch by itself, so that a resumed training draws what the first would have."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Seed order, augmentation and dropout of the epoch."""
        torch.manual_seed(self._seed * 100_003 + trainer.current_epoch + 1)


class EpochLog(Callback):
    """Writes `metrics.csv`, one row an epoch; the rows travel with the checkpoint.

    The learning rate is that of the epoch's last step. Figures that an epoch lacks, as those of an
    earlier version do, are left empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, float]] = []
        self._rate = math.nan

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Note the rate of the step to come: after it the schedule has moved on."""
        self._rate = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the epoch's figures."""
        if not trainer.is_global_zero:
            return
        figures = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        epoch = trainer.current_epoch + 1
        self._rows.append({"epoch": epoch, **figures, "learning_rate": self._rate})
        self._write()

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far."""
        return {"rows": self._rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the rows of the run that is resumed."""
        self._rows = list(state_dict["rows"])

    def _write(self) -> None:
        with whole_file(self._path) as path, path.open("w", newline="", encoding="utf-8") as file:
            names = dict.fromkeys(name for row in reversed(self._rows) for name in row)
            writer = csv.DictWriter(file, fieldnames=list(names))
            writer.writeheader()
            writer.writerows(self._rows)


class TrainingBar(Callback):
    """A bar over all epochs with the time left, and one printed line per epoch."""

    def __init__(self, select: str) -> None:
        self._select = select
        # Made where the training runs: its lock cannot be sent to the processes of other devices.
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._shown = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the bar at the place where the training starts or resumes."""
        if not trainer.is_global_zero:
            return
        total = int(trainer.num_training_batches) * int(trainer.max_epochs or 1)
        self._progress = _bar()
        self._task = self._progress.add_task("Training", total=total, completed=trainer.global_step)
        self._progress.start()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Advance, ten times a second at most."""
        if self._progress is None or time.monotonic() - self._shown < PAUSE:
            return
        self._shown = time.monotonic()
        epoch = f"Epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        self._progress.update(self._task, completed=trainer.global_step, description=epoch)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the epoch's figures."""
        if self._progress is None:
            return
        names = dict.fromkeys(["train_loss", "val_loss", self._select])
        metrics = trainer.callback_metrics
        figures = "  ".join(f"{n} {float(metrics[n]):.4f}" for n in names if n in metrics)
        self._progress.update(self._task, completed=trainer.global_step)
        line = f"Epoch {trainer.current_epoch + 1:3d}  {figures}"
        self._progress.console.print(line, highlight=False)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the terminal in order, also after an error."""
        if self._progress is not None:
            self._progress.stop()


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.1f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        console=Console(stderr=True),
    )


def checkpoints(folder: Path, select: str) -> list[Callback]:
    """Return what keeps the best epoch and the last one.

    Two callbacks, because Lightning's `save_last` saves only epochs that are also among the best.
    """
    best = _Kept(folder, filename="best", monitor=select, mode=direction(select))
    last = _Kept(folder, filename="last")  # after the best, whose state it holds
    return [best, last]


class _Kept(ModelCheckpoint):
    """Keeps one checkpoint, also in a run folder that was moved."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(
            dirpath=folder,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
            **options,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the best score; Lightning would forget it in another folder."""
        best = self._here(state_dict["best_model_path"])
        moved = {
            "dirpath": self.dirpath,
            "best_model_path": best,
            "kth_best_model_path": self._here(state_dict["kth_best_model_path"]),
            "last_model_path": self._here(state_dict["last_model_path"]),
            "best_k_models": {self._here(p): v for p, v in state_dict["best_k_models"].items()},
        }
        super().load_state_dict({**state_dict, **moved})

    def _here(self, path: str) -> str:
        return str(Path(str(self.dirpath)) / Path(path).name) if path else path


class Plateau(Callback):
    """Reduces the learning rate where nothing improves.

    Lightning would do so after it wrote the checkpoint of the epoch, and a resumed training would
    miss that epoch's part in it.
    """

    def __init__(self, part: SchedulePart) -> None:
        self._part = part
        self._schedule: ReduceLROnPlateau | None = None
        self._state: dict[str, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin, or go on where the checkpoint was written."""
        self._schedule = build_plateau(trainer.optimizers[0], self._part)
        if self._state:
            self._schedule.load_state_dict(self._state)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look at the epoch."""
        if self._schedule is not None:
            self._schedule.step(float(trainer.callback_metrics[self._part.monitor]))
            self._state = self._schedule.state_dict()

    def state_dict(self) -> dict[str, Any]:
        """Return what was seen so far."""
        return dict(self._state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what the run that is resumed saw."""
        self._state = dict(state_dict)


def stopping(part: TrainingPart) -> list[Callback]:
    """Return early stopping, if the recipe wants it; as in Keras it looks after every epoch."""
    if not part.patience:
        return []
    return [
        EarlyStopping(
            part.select,
            patience=part.patience,
            mode=direction(part.select),
            check_on_train_epoch_end=True,
            check_finite=False,
        )
    ]


def averaging(part: TrainingPart) -> list[Callback]:
    """Return the moving average of the weights, if the recipe wants one.

    Validation and checkpoints see the averaged weights.
    """
    if not part.ema_decay:
        return []
    return [WeightAveraging(avg_fn=partial(_average, decay=part.ema_decay))]


def _average(average: Tensor, current: Tensor, steps: Tensor | int, decay: float) -> Tensor:
    """Return the new average; in the first steps it forgets fast, or it would keep the start."""
    if not average.is_floating_point():
        return current
    count = int(steps)
    return average.lerp(current, 1 - min(decay, (1 + count) / (10 + count)))
