"""Faces as numbers that a linear model can use: histograms of gradients."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.data.sizes import of_side

SIDE = 48
"""Side in pixels to which faces are brought first."""


def hog(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of oriented gradients (Dalal and Triggs, CVPR 2005) of (N, H, W).

    Returns:
        float32 (N, 900): 5x5 blocks of four cells of 8 pixels with nine directions.
    """
    descriptor = cv2.HOGDescriptor((SIDE, SIDE), (16, 16), (8, 8), (8, 8), 9)
    return np.array(
        [descriptor.compute(image) for image in of_side(images, SIDE)], dtype=np.float32
    ).reshape(len(images), -1)
