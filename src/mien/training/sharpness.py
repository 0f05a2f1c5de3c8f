"""Sharpness-aware minimisation: a step by the gradient of the worst weights near by.

Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization", ICLR 2021,
algorithm 1 with p = 2: from the weights w with the gradient g, the step takes the gradient at
w + radius * g / ||g||, which makes it twice as dear.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def uphill(network: nn.Module, radius: float) -> Iterator[None]:
    """Hold a network's weights where its loss is worst near by; put them back afterwards.

    Meanwhile running means and variances stay: they are of the weights that are kept.

    Args:
        network: After a backward pass; weights without a gradient stay where they are.
        radius: How far to move, Euclidean, over all weights together.
    """
    weights = [weight for weight in network.parameters() if weight.grad is not None]
    before = [weight.detach().clone() for weight in weights]
    _move(weights, radius)
    try:
        with _still_statistics(network):
            yield
    finally:
        with torch.no_grad():
            for weight, old in zip(weights, before, strict=True):
                weight.copy_(old)


@torch.no_grad()
def _move(weights: list[nn.Parameter], radius: float) -> None:
    gradients = [_gradient(weight) for weight in weights]
    # A gradient of 0 points nowhere.
    share = radius / nn.utils.get_total_norm(gradients).clamp(min=1e-12)
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.add_(share * gradient)


def _gradient(weight: nn.Parameter) -> Tensor:
    assert weight.grad is not None
    return weight.grad


@contextmanager
def _still_statistics(network: nn.Module) -> Iterator[None]:
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
