"""The steps of Keras's optimisers, whose epsilon stands elsewhere than PyTorch's.

The five papers trained with Keras. With w the weight, g its gradient and e epsilon, Keras 3 makes
of w:

- Adam: w - lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + e), so that e is not corrected for the
  first steps as it is in PyTorch (Kingma and Ba 2015, end of section 2, call it epsilon hat);
- RMSprop: w - lr * g / sqrt(v + e), with e inside the root.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, Optimizer

EPSILON = 1e-7


class KerasAdam(Adam):
    """Adam with Keras's epsilon: PyTorch's, divided by the correction of each step.

    Args:
        params: Weights, or groups of them.
        lr: Learning rate.
        betas: Decays of the means of the gradient and of its square.
        epsilon: Keras's epsilon.
        weight_decay: Added to the gradient.
        fused: Use PyTorch's fused step.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = EPSILON,
        weight_decay: float = 0.0,
        fused: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, eps=epsilon, weight_decay=weight_decay, fused=fused
        )
        self._epsilon = epsilon

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Make one step; the closure, if any, computes loss and gradients."""
        for group in self.param_groups:
            correction = 1 - group["betas"][1] ** (self._steps(group) + 1)
            group["eps"] = self._epsilon / math.sqrt(correction)
        return super().step(closure)

    def _steps(self, group: dict[str, Any]) -> int:
        states = (self.state.get(weight, {}) for weight in group["params"])
        return max((int(state["step"]) for state in states if "step" in state), default=0)


class KerasRMSprop(Optimizer):
    """RMSprop with epsilon inside the root, and momentum on the steps, as in Keras.

    Args:
        params: Weights, or groups of them.
        lr: Learning rate.
        rho: Decay of the mean of the squared gradient.
        momentum: Share of the last step that is added to the next.
        epsilon: Keras's epsilon.
        weight_decay: Added to the gradient.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = EPSILON,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "momentum": momentum,
            "eps": epsilon,
            "weight_decay": weight_decay,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Make one step; the closure, if any, computes loss and gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._step(weights, group)
        return loss

    def _step(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        """Make a step with all weights at once: loops over them in Python take longer."""
        foreach: Any = torch  # whose functions for lists are not typed for what they give back
        gradients = [weight.grad for weight in weights]
        if group["weight_decay"]:
            gradients = foreach._foreach_add(gradients, weights, alpha=group["weight_decay"])
        squares = self._kept(weights, "square")
        foreach._foreach_mul_(squares, group["rho"])
        foreach._foreach_addcmul_(squares, gradients, gradients, 1 - group["rho"])
        roots = foreach._foreach_add(squares, group["eps"])
        foreach._foreach_sqrt_(roots)
        if group["momentum"]:
            moving = self._kept(weights, "momentum")
            foreach._foreach_mul_(moving, group["momentum"])
            foreach._foreach_addcdiv_(moving, gradients, roots, group["lr"])
            foreach._foreach_sub_(weights, moving)
        else:
            foreach._foreach_addcdiv_(weights, gradients, roots, -group["lr"])

    def _kept(self, weights: list[Tensor], name: str) -> list[Tensor]:
        for weight in weights:
            if name not in self.state[weight]:
                self.state[weight][name] = torch.zeros_like(weight)
        return [self.state[weight][name] for weight in weights]
