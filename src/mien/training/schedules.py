"""Learning-rate schedules from a recipe."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from mien.recipe import SchedulePart


def direction(figure: str) -> Literal["min", "max"]:
    """Return whether the best of a figure is its smallest or its largest value."""
    return "min" if figure.endswith("loss") else "max"


def build_schedule(
    optimiser: Optimizer, part: SchedulePart, steps: int, steps_per_epoch: int
) -> LRScheduler:
    """Return a schedule that is advanced after every step; "plateau" is `build_plateau`'s.

    Args:
        optimiser: Whose learning rate is the schedule's peak.
        part: What the recipe says.
        steps: Of the whole training.
        steps_per_epoch: Of one epoch.
    """
    if part.name == "one-cycle":
        peak = float(optimiser.param_groups[0]["lr"])
        return OneCycleLR(optimiser, peak, total_steps=steps, cycle_momentum=False)
    warmup = round(part.warmup_epochs * steps_per_epoch)
    return LambdaLR(optimiser, _factor(part, warmup, steps))


def build_plateau(optimiser: Optimizer, part: SchedulePart) -> ReduceLROnPlateau:
    """Return the schedule "plateau", which is told what it monitors after every epoch."""
    # PyTorch reduces after `patience` epochs and one more, Keras after `patience`.
    return ReduceLROnPlateau(
        optimiser,
        mode=direction(part.monitor),
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
