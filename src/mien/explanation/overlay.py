"""Explanations drawn into a face: what a page or a figure shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.preprocess import Image

FOR = (213, 94, 0)
AGAINST = (0, 114, 178)
"""Vermilion and blue of Okabe and Ito's palette, RGB: told apart by colour-blind eyes too."""

STRONGEST = 0.8
"""How far the largest value covers the face."""

PERCENTILE = 99.5
"""The percentile of absolute values that is drawn strongest: a single pixel should not pale all
others."""

LINE = (255, 255, 255)
"""The colour of borders between regions, RGB."""


def overlay(crop: Image, heatmap: NDArray[np.float64], side: int = 240) -> NDArray[np.uint8]:
    """Lay a heatmap over a face.

    Args:
        crop: uint8 (S, S), grey.
        heatmap: float64 (S, S): above 0 becomes vermilion, below 0 blue, 0 leaves the face.
        side: Height and width of the result.

    Returns:
        uint8 (side, side, 3), RGB.
    """
    face = enlarged(crop, side).astype(np.float64)
    values = cv2.resize(heatmap / scale(heatmap), (side, side), interpolation=cv2.INTER_LINEAR)
    colours = np.where((values > 0)[..., None], FOR, AGAINST)
    cover = (np.minimum(np.abs(values), 1) * STRONGEST)[..., None]
    return np.asarray((face * (1 - cover) + colours * cover).round(), dtype=np.uint8)


def outlined(picture: Image, regions: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Draw the borders between regions into a picture.

    Args:
        picture: uint8 (H, H, 3), RGB.
        regions: intp (S, S), the region of each pixel of the crop.

    Returns:
        uint8 (H, H, 3), RGB.
    """
    side = len(picture)
    place = np.arange(side) * len(regions) // side
    large = regions[place[:, None], place]
    border = np.zeros(large.shape, dtype=bool)
    border[1:] |= large[1:] != large[:-1]
    border[:, 1:] |= large[:, 1:] != large[:, :-1]
    return np.where(border[..., None], np.array(LINE, dtype=np.uint8), picture)


def enlarged(crop: Image, side: int = 240) -> NDArray[np.uint8]:
    """Return a grey crop, uint8 (S, S), as RGB of another size, uint8 (side, side, 3)."""
    large = cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def scale(heatmap: NDArray[np.float64]) -> float:
    """Return the value of a heatmap that is drawn strongest; 1 for one that is 0 everywhere."""
    strongest = float(np.percentile(np.abs(heatmap), PERCENTILE))
    return strongest or float(np.abs(heatmap).max()) or 1.0
