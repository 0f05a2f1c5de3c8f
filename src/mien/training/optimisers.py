"""Optimisers and learning-rate schedules from a recipe."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from mien.recipe import OptimiserPart, SchedulePart


def build_optimiser(network: nn.Module, part: OptimiserPart) -> Optimizer:
    """Return the recipe's optimiser; weight decay acts on matrices and kernels only."""
    groups = [
        {"params": list(_parameters(network, decayed=True)), "weight_decay": part.weight_decay},
        {"params": list(_parameters(network, decayed=False)), "weight_decay": 0.0},
    ]
    if part.name == "adamw":
        return AdamW(groups, lr=part.learning_rate, betas=(part.momentum, 0.999))
    nesterov = part.momentum > 0
    return SGD(groups, lr=part.learning_rate, momentum=part.momentum, nesterov=nesterov)


def build_schedule(
    optimiser: Optimizer, part: SchedulePart, steps: int, steps_per_epoch: int
) -> LambdaLR:
    """Return the recipe's schedule, to be advanced after every step."""
    warmup = round(part.warmup_epochs * steps_per_epoch)
    factor = _factor(part, warmup, steps)
    return LambdaLR(optimiser, factor)


def _factor(part: SchedulePart, warmup: int, total: int) -> Callable[[int], float]:
    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        if part.name == "constant":
            return 1.0
        progress = (step - warmup) / max(1, total - warmup)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

    return factor


def _parameters(network: nn.Module, *, decayed: bool) -> Iterable[nn.Parameter]:
    return (p for p in network.parameters() if (p.ndim > 1) == decayed)
