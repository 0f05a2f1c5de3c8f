"""What a study sees of a training while it runs."""

from __future__ import annotations

import math
from collections.abc import Callable

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from optuna import TrialPruned
from optuna.trial import Trial

from mien.errors import TrainingError
from mien.training.run import Run


class Watch(Callback):
    """Reports a validation figure after each epoch, and ends a training that is given up.

    Args:
        trial: Reported to.
        select: The figure.
        seen: Called with the number of finished epochs.

    Raises:
        TrialPruned: In training, if the study gives the trial up.
        TrainingError: In training, if the figure is not a number.
    """

    def __init__(self, trial: Trial, select: str, seen: Callable[[int], None]) -> None:
        self._trial = trial
        self._select = select
        self._seen = seen

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the epoch."""
        epoch = trainer.current_epoch + 1
        value = float(trainer.callback_metrics[self._select])
        if not math.isfinite(value):
            raise TrainingError(f"{self._select} became {value} in epoch {epoch}.")
        self._trial.report(value, epoch)
        self._seen(epoch)
        if self._trial.should_prune():
            raise TrialPruned


def report_again(trial: Trial, run: Run, select: str) -> None:
    """Report the epochs of an attempt that was broken off, which this one continues."""
    if not run.last.exists():
        return
    done = run.epochs_done()
    for row in run.epochs():
        if row["epoch"] <= done:
            trial.report(row[select], int(row["epoch"]))
