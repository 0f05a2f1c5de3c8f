"""What stands in for the pixels that are taken away from a face."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError, unknown_name
from mien.preprocess import Image

BLUR = 8
"""The side of a crop over the standard deviation of the Gaussian that blurs it: 6 pixels of 48.
Eyes, brows and mouth are gone, light and outline stay, so that no new edges appear."""


def _blur(crop: Image) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), len(crop) / BLUR), dtype=np.uint8)


def _mean(crop: Image) -> NDArray[np.uint8]:
    return np.full_like(crop, round(float(crop.mean())))


def _black(crop: Image) -> NDArray[np.uint8]:
    return np.zeros_like(crop)


FILLS: dict[str, Callable[[Image], NDArray[np.uint8]]] = {
    "blur": _blur,
    "mean": _mean,
    "black": _black,
}
"""By name, what makes from a crop, uint8 (S, S), the crop with everything taken away."""


def filled(crop: Image, fill: str) -> NDArray[np.uint8]:
    """Return a crop with everything taken away, uint8 (S, S).

    Args:
        crop: uint8 (S, S), grey.
        fill: One of `FILLS`: the face blurred, its mean grey value, or black.

    Raises:
        MienError: If there is no such fill.
    """
    if fill not in FILLS:
        raise MienError(unknown_name("fill", fill, FILLS))
    return FILLS[fill](crop)
