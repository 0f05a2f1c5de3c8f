"""Bringing faces to a size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.preprocess import resized

USUAL_SIDE = 48
"""Side of FER2013's and CK+48's faces, on which limits were measured. What tells expressions apart
is still there, and a face of 224 pixels would take twenty times the memory."""


def of_usual_side(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (N, H, W), shrunk to `USUAL_SIDE` if one of their sides is larger."""
    return of_side(images, USUAL_SIDE) if max(images.shape[1:]) > USUAL_SIDE else images


def of_side(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return images (N, H, W) as (N, side, side), resized as `Preprocess.crop` does it.

    Images that have the side already are returned themselves.
    """
    if images.shape[1:] == (side, side):
        return images
    return np.asarray([resized(image, side) for image in images], dtype=np.uint8)
