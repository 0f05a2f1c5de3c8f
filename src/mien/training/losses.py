"""What a network is punished for: cross-entropy and focal loss with target shares."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.recipe import HeadPart


class ShareLoss(nn.Module):
    """Cross-entropy or focal loss of logits with the shares of each class.

    Args:
        part: The head it is for.
        class_weights: float32 (C,), the weight of each class; None for 1.
    """

    def __init__(self, part: HeadPart, class_weights: NDArray[np.float32] | None = None) -> None:
        super().__init__()
        self._gamma = part.gamma if part.loss == "focal" else 0.0
        self._smoothing = part.smoothing
        weights = None if class_weights is None else torch.from_numpy(class_weights)
        self.register_buffer("class_weights", weights, persistent=False)
        self.class_weights: Tensor | None

    def forward(self, logits: Tensor, shares: Tensor) -> Tensor:
        """Return the mean loss of logits (N, C) with target shares (N, C).

        A row counts by its sum: 1, less where only a part of the truth is known, and not at all
        where the shares are all 0. With no row left the loss is 0.
        """
        counts = shares.sum(1, keepdim=True)
        smooth = shares * (1 - self._smoothing) + counts * self._smoothing / shares.shape[1]
        logs = logits.float().log_softmax(1)
        costs = -smooth * logs
        if self._gamma:
            # The power has no slope at 0.
            costs = costs * (1 - logs.exp()).clamp(min=1e-6) ** self._gamma
        if self.class_weights is not None:
            costs = costs * self.class_weights
        return costs.sum() / counts.sum().clamp(min=torch.finfo(counts.dtype).tiny)


def balanced_weights(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a weight for each class: the inverse of its share, 1 on average over the faces.

    Classes that do not occur get 0.

    Args:
        shares: float32 (N, C), the targets of the training faces.
    """
    totals = shares.sum(axis=0, dtype=np.float64)
    occur = totals > 0
    weights = np.zeros(len(totals))
    weights[occur] = totals.sum() / (occur.sum() * totals[occur])
    return weights.astype(np.float32)
