"""Crops that show no usable face, made of faces: what a detector's mistakes look like.

FER2013 holds hardly any. A part of a face enlarged is skin and hair, shuffled tiles have a face's
tones without its shape, and a smooth texture is what walls and clothes are.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from mien.training.batches import Batch

TILES = 4
"""An image is cut into so many rows and columns of tiles."""


def with_no_faces(batch: Batch, share: float) -> Batch:
    """Return a batch in which some images show no face any more, and the targets say so.

    Their expression and the raters' agreement are unknown. All random numbers come from torch's
    global generator.

    Args:
        batch: Float images (B, 1, H, W) with values 0 to 255.
        share: Probability for each image; with 0 the batch stays as it is.
    """
    if not share:
        return batch
    draw = torch.rand(len(batch.images), device=batch.images.device)
    gone = draw < share
    images = batch.images.clone()
    for number, change in enumerate(KINDS):
        low, high = (share * edge / len(KINDS) for edge in (number, number + 1))
        picked = (low <= draw) & (draw < high)
        if picked.any():
            images[picked] = change(images[picked])
    return Batch(
        images,
        {name: torch.where(gone[:, None], 0.0, s) for name, s in batch.shares.items()},
        batch.truth,
        {name: torch.where(gone, SAID[name], s) for name, s in batch.signals.items()},
        ~gone,
    )


SAID = {"agreement": float("nan"), "not_a_face": 1.0}
"""By signal, what should be said of them."""


def _part(images: Tensor) -> Tensor:
    """Enlarge a random part of each image, a fifth to two fifths of its side."""
    count = len(images)
    size = torch.empty(count, 1, device=images.device).uniform_(0.2, 0.4)
    centre = torch.empty(count, 2, device=images.device).uniform_(-1, 1) * (1 - size)
    nothing = torch.zeros_like(size)
    rows = [size, nothing, centre[:, :1], nothing, size, centre[:, 1:]]
    grid = affine_grid(
        torch.cat(rows, 1).view(count, 2, 3), list(images.shape), align_corners=False
    )
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def _shuffled(images: Tensor) -> Tensor:
    """Put the rows and columns of tiles into another order."""
    height, width = images.shape[2:]
    return images[:, :, _order(height)][:, :, :, _order(width)]


def _order(size: int) -> Tensor:
    tiles = torch.arange(size).chunk(TILES)
    return torch.cat([tiles[number] for number in torch.randperm(len(tiles)).tolist()])


def _texture(images: Tensor) -> Tensor:
    """Put smooth noise in the place of each image, with its mean and deviation."""
    coarse = int(torch.randint(2, 13, ()))
    noise = torch.randn(len(images), 1, coarse, coarse, device=images.device)
    smooth = interpolate(noise, images.shape[2:], mode="bicubic", align_corners=False)
    mean, deviation = images.mean((2, 3), keepdim=True), images.std((2, 3), keepdim=True)
    return (mean + deviation * smooth).clamp(0, 255)


KINDS: tuple[Callable[[Tensor], Tensor], ...] = (_part, _shuffled, _texture)
