"""A decoded frame as people see it: upright, not mirrored, with square pixels."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from mien.preprocess import Image

WIDEST = 4
"""How many times as wide as high a pixel may be, or as high as wide; beyond that the video's word
for it is damage, and taking it for true could ask for any amount of memory."""


def upright(frame: av.VideoFrame, aspect: Fraction | None, converter: VideoReformatter) -> Image:
    """Return a frame as it is to be shown.

    Args:
        frame: FFmpeg's frame.
        aspect: Width of a pixel over its height, as it is stored; None for square.
        converter: Used by one thread alone.

    Returns:
        uint8 (H, W, 3) in RGB order.
    """
    width, height = square_size(frame.width, frame.height, aspect)
    converted = converter.reformat(frame, width, height, format="rgb24")
    picture: Image = np.asarray(converted.to_ndarray(), dtype=np.uint8)
    try:
        matrix = cast("SideDataContainer", frame.side_data).get(Type.DISPLAYMATRIX)
    except ValueError:
        # PyAV has no name for something else that goes with the frame, such as a JPEG's EXIF, and
        # gives nothing then. It tells the angle all the same, though not whether it is mirrored.
        return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))
    return picture if matrix is None else _turned(picture, np.frombuffer(matrix, np.int32))


def square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return a size in square pixels; no pixel is lost.

    Args:
        width: Of the stored picture.
        height: Of the stored picture.
        aspect: Of a stored pixel, width by height; None if it is not known.
    """
    if not aspect or not Fraction(1, WIDEST) <= aspect <= WIDEST:
        return width, height
    if aspect > 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def _turned(picture: Image, matrix: NDArray[Any]) -> Image:
    """Turn and mirror a picture by quarters.

    Args:
        picture: The picture as it is stored.
        matrix: a, b, u, c, d, v, x, y, w: (p, q) is shown at (a p + c q + x, b p + d q + y).
    """
    across, down, crossing_down, crossing_across = (float(matrix[i]) for i in (0, 4, 1, 3))
    if abs(crossing_down) > abs(across):
        picture = picture.transpose(1, 0, 2)
        across, down = crossing_across, crossing_down
    flips = {(True, True): -1, (True, False): 1, (False, True): 0}
    code = flips.get((across < 0, down < 0))
    turned = picture if code is None else cv2.flip(picture, code)
    return np.ascontiguousarray(turned, dtype=np.uint8)
