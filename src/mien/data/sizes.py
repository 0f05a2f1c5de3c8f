"""Bringing faces to a size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def of_side(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return images (N, H, W) as (N, side, side); themselves where they already are that."""
    if images.shape[1:] == (side, side):
        return images
    sized = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images]
    return np.asarray(sized, dtype=np.uint8)
