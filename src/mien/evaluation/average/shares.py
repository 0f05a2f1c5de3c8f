"""How much each member of an ensemble counts, fitted on validation alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from mien.card import Averaging
from mien.errors import MienError
from mien.evaluation.average.averaging import mean_logits
from mien.evaluation.metrics import Truth

SMALLEST = 1e-3
"""A smaller share is none."""


def fit_shares(
    logits: NDArray[np.float64], truth: Truth, averaging: Averaging
) -> tuple[float, ...]:
    """Return the shares with the smallest negative log-likelihood of the average on validation.

    The problem is convex for both ways of averaging, so the result does not depend on a start.

    Args:
        logits: float (M, N, C), of M members.
        truth: int (N,), all known.
        averaging: What is averaged.

    Returns:
        M shares from 0 to 1 that sum to 1.

    Raises:
        MienError: If N is 0.
    """
    if len(truth) == 0:
        raise MienError("Weights cannot be fitted: no validation face has a known truth.")
    members = len(logits)
    values, right = torch.from_numpy(logits), torch.from_numpy(truth)

    def loss(shares: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = torch.tensor(shares, requires_grad=True)
        costs = _cost(values, right, weights, averaging)
        (slope,) = torch.autograd.grad(costs, weights)
        return float(costs.detach()), slope.numpy()

    found = minimize(
        loss,
        np.full(members, 1 / members),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * members,
        constraints={"type": "eq", "fun": lambda shares: shares.sum() - 1},
    )
    shares = np.where(found.x < SMALLEST, 0, found.x)
    return tuple((shares / shares.sum()).tolist())


def _cost(logits: Tensor, truth: Tensor, weights: Tensor, averaging: Averaging) -> Tensor:
    """Return the mean of -log p(right class); unlike `mean_logits`, smooth where a weight is 0."""
    if averaging == "logits":
        return torch.nn.functional.cross_entropy(torch.einsum("m,mnc->nc", weights, logits), truth)
    right = logits.softmax(2)[:, torch.arange(len(truth)), truth]
    return -(weights @ right).clamp(min=1e-12).log().mean()


def averaged(
    logits: NDArray[np.float64], shares: Sequence[float], averaging: Averaging
) -> NDArray[np.float64]:
    """Return logits (N, C) whose softmax is the average of members' logits (M, N, C)."""
    return np.asarray(mean_logits(torch.from_numpy(logits), shares, averaging).numpy())
