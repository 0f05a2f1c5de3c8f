"""Sharpness-aware minimisation: a step by the gradient of the worst weights near by.

Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization", ICLR 2021,
algorithm 1 with p = 2: from the weights w with the gradient g, the step takes the gradient at
w + radius * g / ||g||, which makes it twice as dear. Dropout draws anew for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def uphill(network: nn.Module, radius: float) -> Iterator[None]:
    """Hold a network's weights where its loss is worst near by; put everything back afterwards.

    Running means and variances are put back, too: they are of the weights that are kept.

    Args:
        network: After a backward pass; weights without a gradient stay where they are. All stay if
            a gradient is not finite, as after an overflow of fp16, whose step is not made.
        radius: How far to move, Euclidean, over all weights together.
    """
    weights = [weight for weight in network.parameters() if weight.grad is not None]
    changed = [*weights, *network.buffers()]
    before = [values.detach().clone() for values in changed]
    _move(weights, radius)
    try:
        yield
    finally:
        with torch.no_grad():
            for values, old in zip(changed, before, strict=True):
                values.copy_(old)


@torch.no_grad()
def _move(weights: list[nn.Parameter], radius: float) -> None:
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if norm.isfinite() and norm > 0:
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.add_(gradient * (radius / norm))
