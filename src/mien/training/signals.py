"""What the outputs beside the expressions should say, and what they are punished for."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from mien.data.dataset import FaceDataset
from mien.data.votes import SIGNAL_TRUTHS
from mien.errors import RecipeError
from mien.signals import SignalName


def signal_targets(dataset: FaceDataset, name: SignalName) -> NDArray[np.float32]:
    """Return what a signal should say of each face: float32 (N,), not a number where unknown.

    Raises:
        RecipeError: If the dataset has no votes.
    """
    if dataset.votes is None:
        raise RecipeError(
            f"Signal {name!r} learns from votes, dataset {dataset.name!r} has none: give --votes."
        )
    return SIGNAL_TRUTHS[name](dataset.votes)


def signal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of logits (N, 1) with targets (N,), 0 to 1.

    Targets that are not a number do not count; with none left the loss is 0.
    """
    known = ~targets.isnan()
    wanted = torch.where(known, targets, 0.0)
    costs = binary_cross_entropy_with_logits(logits[:, 0].float(), wanted, reduction="none")
    return (costs * known).sum() / known.sum().clamp(min=1)
