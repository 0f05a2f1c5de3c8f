"""Rotating a face so that its eyes are level."""

from __future__ import annotations

import cv2
import numpy as np

from mien.preprocess import Image, Square


def levelled(picture: Image, square: Square, tilt: float) -> Image:
    """Cut a square out of a picture that is first rotated about the square's centre.

    What lies beyond the picture's edges repeats the edge pixels, as in `Preprocess.crop`.

    Args:
        picture: uint8 (H, W, 3) or (H, W).
        square: The region to cut, in the picture's pixels.
        tilt: By how many degrees what should be level falls to the right.

    Returns:
        uint8 (side, side, 3) or (side, side), with the square's side rounded.
    """
    side = max(1, round(square.side))
    # OpenCV counts from the middle of the first pixel, a square from its corner.
    centre = (square.x + square.side / 2 - 0.5, square.y + square.side / 2 - 0.5)
    turn = cv2.getRotationMatrix2D(centre, tilt, 1.0)
    middle = (side - 1) / 2
    shift = np.array([[0, 0, middle - centre[0]], [0, 0, middle - centre[1]]])
    rotated = cv2.warpAffine(picture, turn + shift, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(rotated, dtype=np.uint8)
