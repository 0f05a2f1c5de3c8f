"""Random changes of training images, on whole batches, with kornia."""

from __future__ import annotations

import kornia.augmentation as kornia
from torch import nn

from mien.recipe import AugmentationPart

UNCHANGED = (1.0, 1.0)


def build_augmentation(part: AugmentationPart) -> nn.Module:
    """Return a module that changes float images (N, 1, H, W) with values 0 to 1.

    All random numbers come from torch's global generator.
    """
    steps = [*_geometry(part), *_lighting(part), *_occlusion(part)]
    return nn.Sequential(*steps)


def _geometry(part: AugmentationPart) -> list[nn.Module]:
    steps: list[nn.Module] = []
    if part.flip:
        steps.append(kornia.RandomHorizontalFlip(p=part.flip))
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


def _occlusion(part: AugmentationPart) -> list[nn.Module]:
    if not part.erasing:
        return []
    return [kornia.RandomErasing(scale=(0.02, 0.2), ratio=(0.4, 2.5), value=0.5, p=part.erasing)]
