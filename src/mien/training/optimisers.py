"""Optimisers from a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from mien.recipe import OptimiserPart
from mien.training import keras

EPSILON = 1e-8


def build_optimiser(network: nn.Module, part: OptimiserPart, *, fused: bool = True) -> Optimizer:
    """Return the recipe's optimiser; weight decay acts on matrices and kernels only.

    Args:
        network: Whose weights are trained.
        part: What the recipe says.
        fused: Use PyTorch's fused steps where there are any; they are faster, but gradients cannot
            be clipped before them under mixed precision.
    """
    groups = [
        {"params": list(_parameters(network, decayed=True)), "weight_decay": part.weight_decay},
        {"params": list(_parameters(network, decayed=False)), "weight_decay": 0.0},
    ]
    if part.name == "sgd":
        return _sgd(groups, part, fused)
    if part.name.endswith("rmsprop"):
        return _rmsprop(groups, part)
    return _adam(groups, part, fused)


def _sgd(groups: list[dict[str, Any]], part: OptimiserPart, fused: bool) -> Optimizer:
    momentum = 0.9 if part.momentum is None else part.momentum
    nesterov = part.nesterov and momentum > 0
    return SGD(groups, lr=part.learning_rate, momentum=momentum, nesterov=nesterov, fused=fused)


def _adam(groups: list[dict[str, Any]], part: OptimiserPart, fused: bool) -> Optimizer:
    betas = (0.9 if part.momentum is None else part.momentum, part.beta2)
    if part.name == "keras-adam":
        epsilon = part.epsilon or keras.EPSILON
        return keras.KerasAdam(groups, part.learning_rate, betas, epsilon, fused=fused)
    kind = AdamW if part.name == "adamw" else Adam
    return kind(groups, part.learning_rate, betas, part.epsilon or EPSILON, fused=fused)


def _rmsprop(groups: list[dict[str, Any]], part: OptimiserPart) -> Optimizer:
    momentum = part.momentum or 0.0
    if part.name == "keras-rmsprop":
        epsilon = part.epsilon or keras.EPSILON
        return keras.KerasRMSprop(groups, part.learning_rate, part.rho, momentum, epsilon)
    epsilon = part.epsilon or EPSILON
    return RMSprop(groups, part.learning_rate, part.rho, epsilon, momentum=momentum)


def _parameters(network: nn.Module, *, decayed: bool) -> Iterable[nn.Parameter]:
    return (p for p in network.parameters() if (p.ndim > 1) == decayed)
