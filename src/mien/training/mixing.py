"""Mixing two images and their targets: mixup and CutMix."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.recipe import AugmentationPart
from mien.training.batches import Batch


def mix(batch: Batch, part: AugmentationPart) -> Batch:
    """Return a batch in which each image is mixed with another, and its targets alike.

    Images without a truth give none: a mixture with one counts by the other's part only. A signal
    is unknown where it is unknown of one of the two. A mixture shows a face if one of the two does.
    All random numbers come from torch's global generator.

    Args:
        batch: Float images (B, 1, H, W).
        part: Its `mixup` or `cutmix` is the parameter of the Beta distribution; with neither the
            batch stays as it is.
    """
    strength = part.mixup or part.cutmix
    if not strength:
        return batch
    keep = float(torch.distributions.Beta(strength, strength).sample())
    partner = torch.randperm(len(batch.images), device=batch.images.device)
    if part.mixup:
        images = keep * batch.images + (1 - keep) * batch.images[partner]
    else:
        images, keep = _pasted(batch.images, batch.images[partner], keep)
    shares = {n: keep * s + (1 - keep) * s[partner] for n, s in batch.shares.items()}
    signals = {n: keep * s + (1 - keep) * s[partner] for n, s in batch.signals.items()}
    shown = None if batch.shown is None else batch.shown | batch.shown[partner]
    return batch._replace(images=images, shares=shares, signals=signals, shown=shown)


def _pasted(images: Tensor, others: Tensor, keep: float) -> tuple[Tensor, float]:
    """Paste a random rectangle of about (1 - keep) of the area; return the share that is left."""
    height, width = images.shape[2:]
    side = (1 - keep) ** 0.5
    centre_y, centre_x = torch.rand(2).tolist()
    top, bottom = _edges(centre_y, side, height)
    left, right = _edges(centre_x, side, width)
    pasted = images.clone()
    pasted[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return pasted, 1 - (bottom - top) * (right - left) / (height * width)


def _edges(centre: float, share: float, size: int) -> tuple[int, int]:
    return (
        max(0, round((centre - share / 2) * size)),
        min(size, round((centre + share / 2) * size)),
    )
