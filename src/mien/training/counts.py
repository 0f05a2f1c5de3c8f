"""Who is taken for whom in an epoch, counted on the device, and the figures of it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mien.data.dataset import NO_TARGET


def confusion(logits: Tensor, truth: Tensor) -> Tensor:
    """Return counts (C, C): rows are the truth, columns the decision; faces without one are none.

    Args:
        logits: (N, C).
        truth: int (N,), below C.
    """
    classes = logits.shape[1]
    known = truth != NO_TARGET
    cells = truth[known] * classes + logits.argmax(1)[known]
    return torch.bincount(cells, minlength=classes**2).view(classes, classes)


def hits(logits: Tensor, truth: Tensor, shown: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return how many faces are named rightly, and how many could be; without waiting for a device.

    Args:
        logits: (N, C).
        truth: int (N,).
        shown: bool (N,), the images that show a face; None for all.
    """
    known = truth != NO_TARGET if shown is None else (truth != NO_TARGET) & shown
    right = (logits.argmax(1) == truth) & known
    return right.sum(dtype=torch.float32), known.sum(dtype=torch.float32)


def accuracy(counts: Tensor) -> float:
    """Return the share of right decisions among counts (C, C); 0 of none."""
    return float(counts.trace()) / max(1.0, float(counts.sum()))


def macro_f1(counts: Tensor) -> float:
    """Return the mean F1 of the classes that are the truth of some face, among counts (C, C)."""
    truth, decided, right = counts.sum(1), counts.sum(0), counts.diagonal()
    scores = 2 * right / (truth + decided).clamp(min=1)
    occur = truth > 0
    return float(scores[occur].double().mean()) if occur.any() else 0.0


FIGURES: dict[str, Callable[[Tensor], float]] = {"accuracy": accuracy, "macro_f1": macro_f1}
"""What validation measures, by name."""
