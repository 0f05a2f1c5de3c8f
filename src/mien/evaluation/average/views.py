"""Test-time augmentation: a network sees several views of a face, and what it says is averaged."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mien.card import Averaging, Views
from mien.errors import MienError, unknown_name
from mien.evaluation.average.averaging import AveragedNetwork, Predictor, mean_logits
from mien.models.network import FaceNetwork

VIEWS: tuple[Views, ...] = get_args(Views)

CROP = 42 / 48
"""Side of the ten crops, as a share of the face's."""


def known_views(name: str) -> Views:
    """Return one of `VIEWS` by its name.

    Raises:
        MienError: If there is none of that name; says which is nearest.
    """
    for views in VIEWS:
        if views == name:
            return views
    raise MienError(unknown_name("test-time augmentation", name, VIEWS))


def with_views(network: FaceNetwork, views: Views) -> Predictor:
    """Return a network that looks at a face in the given way; "none" is the network itself."""
    return network if views == "none" else ManyViews(network, views).eval()


class ManyViews(AveragedNetwork):
    """A network that sees several views of each face.

    Args:
        network: It sees all views in one batch.
        views: Which.
        averaging: What is averaged over the views.
    """

    def __init__(
        self, network: FaceNetwork, views: Views, averaging: Averaging = "probabilities"
    ) -> None:
        super().__init__()
        self.network = network
        self._views = views
        self._averaging = averaging

    def both(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the views' mean features (N, F), and the averages as logits (N, classes)."""
        views = views_of(images, self._views)
        count = len(views)
        features = self.network.features(torch.cat(views))
        shares = [1 / count] * count
        logits = {
            name: mean_logits(_by_view(values, count), shares, self._averaging)
            for name, values in self.network.heads(features).items()
        }
        return _by_view(features, count).mean(0), logits


def views_of(images: Tensor, views: Views) -> list[Tensor]:
    """Return the views of images (N, 1, H, W), each of the same shape.

    "flip" gives the images and their mirror images. "ten-crop" gives five squares of 7/8 of the
    side, in the corners and the middle, brought back to the images' size, and their mirror images
    (Krizhevsky et al., "ImageNet classification", NIPS 2012, section 4.1).
    """
    if views == "none":
        return [images]
    seen = [images] if views == "flip" else _five_crops(images)
    return [*seen, *(view.flip(3) for view in seen)]


def _five_crops(images: Tensor) -> list[Tensor]:
    size = images.shape[3]
    side = round(size * CROP)
    most = size - side
    corners = [(0, 0), (0, most), (most, 0), (most, most), (most // 2, most // 2)]
    return [
        interpolate(
            images[:, :, y : y + side, x : x + side],
            size=(size, size),
            mode="bilinear",
            align_corners=False,
        )
        for y, x in corners
    ]


def _by_view(values: Tensor, count: int) -> Tensor:
    return values.reshape(count, -1, values.shape[1])
