"""Learning-rate schedules from a recipe."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau

from mien.recipe import SchedulePart


def build_schedule(
    optimiser: Optimizer, part: SchedulePart, steps: int, steps_per_epoch: int
) -> dict[str, Any]:
    """Return the recipe's schedule as Lightning's `lr_scheduler` entry.

    Args:
        optimiser: Whose learning rate is the schedule's peak.
        part: What the recipe says.
        steps: Of the whole training.
        steps_per_epoch: Of one epoch.
    """
    if part.name == "plateau":
        return {"scheduler": _plateau(optimiser, part), "monitor": part.monitor}
    if part.name == "one-cycle":
        peak = float(optimiser.param_groups[0]["lr"])
        cycle = OneCycleLR(optimiser, peak, total_steps=steps, cycle_momentum=False)
        return {"scheduler": cycle, "interval": "step"}
    warmup = round(part.warmup_epochs * steps_per_epoch)
    return {"scheduler": LambdaLR(optimiser, _factor(part, warmup, steps)), "interval": "step"}


def _plateau(optimiser: Optimizer, part: SchedulePart) -> ReduceLROnPlateau:
    # PyTorch reduces after `patience` epochs and one more, Keras after `patience`.
    return ReduceLROnPlateau(
        optimiser,
        mode="min" if part.monitor == "val_loss" else "max",
        factor=part.factor,
        patience=max(0, part.patience - 1),
        threshold=part.min_delta,
        threshold_mode="abs",
        min_lr=part.smallest,
    )


def _factor(part: SchedulePart, warmup: int, total: int) -> Callable[[int], float]:
    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        if part.name == "constant":
            return 1.0
        progress = (step - warmup) / max(1, total - warmup)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

    return factor
