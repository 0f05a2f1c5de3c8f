"""Bringing faces to a size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.preprocess import resized


def of_side(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return images (N, H, W) as (N, side, side), resized as `Preprocess.crop` does it.

    Images that have the side already are returned themselves.
    """
    if images.shape[1:] == (side, side):
        return images
    return np.asarray([resized(image, side) for image in images], dtype=np.uint8)
