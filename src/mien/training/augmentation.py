"""Random changes of training images, on whole batches, with kornia."""

from __future__ import annotations

from collections.abc import Callable

import kornia.augmentation as kornia
import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.recipe import AugmentationPart

UNCHANGED = (1.0, 1.0)


def build_augmentation(part: AugmentationPart) -> nn.Module:
    """Return a module that changes float images (N, 1, H, W) with values 0 to 1.

    All random numbers come from torch's global generator.
    """
    steps = [*_geometry(part), *_lighting(part), *_degradation(part), *_occlusion(part)]
    return nn.Sequential(*steps)


def _geometry(part: AugmentationPart) -> list[nn.Module]:
    steps: list[nn.Module] = []
    if part.flip:
        steps.append(kornia.RandomHorizontalFlip(p=part.flip))
    if part.vertical_flip:
        steps.append(kornia.RandomVerticalFlip(p=part.vertical_flip))
    if part.rotation or part.shift or part.shear or part.zoom != UNCHANGED:
        steps.append(
            kornia.RandomAffine(
                degrees=part.rotation,
                translate=(part.shift, part.shift),
                scale=part.zoom,
                shear=(-part.shear, part.shear),
                padding_mode=part.fill,
                p=1.0,
            )
        )
    return steps


def _lighting(part: AugmentationPart) -> list[nn.Module]:
    steps: list[nn.Module] = []
    if part.brightness != UNCHANGED:
        steps.append(kornia.RandomBrightness(part.brightness, p=1.0))
    if part.contrast != UNCHANGED:
        steps.append(kornia.RandomContrast(part.contrast, p=1.0))
    return steps


def _degradation(part: AugmentationPart) -> list[nn.Module]:
    """Return what happens to photos on their way: small faces, soft lenses, noise, compression."""
    steps: list[nn.Module] = []
    if part.downscale:
        steps.append(Downscale(part.downscale))
    if part.blur:
        steps.append(kornia.RandomGaussianBlur((5, 5), (0.3, 1.5), p=part.blur))
    if part.noise:
        # No pixel is darker than black or lighter than white, before JPEG or without it.
        steps += [kornia.RandomGaussianNoise(std=part.noise, p=1.0), nn.Hardtanh(0.0, 1.0)]
    if part.jpeg:
        steps.append(Compression(part.jpeg))
    return steps


def _some(images: Tensor, p: float, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Change each image with the probability p; the others cost nothing."""
    chosen = torch.rand(len(images), device=images.device) < p
    if not chosen.any():
        return images
    changed = images.clone()
    changed[chosen] = change(images[chosen])
    return changed


def _rescaled(images: Tensor, factor: float) -> Tensor:
    small = functional.interpolate(
        images, scale_factor=factor, mode="bilinear", antialias=True, align_corners=False
    )
    return functional.interpolate(
        small, size=images.shape[2:], mode="bilinear", align_corners=False
    )


class Downscale(nn.Module):
    """Makes images smaller by a random factor, down to a third, and large again.

    Args:
        p: Probability for each image; those of a batch share the factor.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self._p = p

    def forward(self, images: Tensor) -> Tensor:
        """Change float images (N, 1, H, W)."""
        factor = float(torch.empty(()).uniform_(1 / 3, 1))
        return _some(images, self._p, lambda chosen: _rescaled(chosen, factor))


class Compression(nn.Module):
    """Compresses images as JPEG does, with a quality of 20 to 80.

    Args:
        p: Probability for each image.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self._p = p
        self._jpeg = kornia.RandomJPEG(jpeg_quality=(20.0, 80.0), p=1.0)

    def forward(self, images: Tensor) -> Tensor:
        """Change float images (N, 1, H, W) with values 0 to 1."""
        return _some(images, self._p, self._compressed)

    def _compressed(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        # Blocks of 16: kornia takes nothing else.
        right, below = -width % 16, -height % 16
        padded = functional.pad(images, (0, right, 0, below), mode="replicate")
        colour = padded.clamp(0, 1).expand(-1, 3, -1, -1)
        changed: Tensor = self._jpeg(colour)
        return changed.mean(1, keepdim=True)[..., :height, :width]


def _occlusion(part: AugmentationPart) -> list[nn.Module]:
    if not part.erasing:
        return []
    return [kornia.RandomErasing(scale=(0.02, 0.2), ratio=(0.4, 2.5), value=0.5, p=part.erasing)]
