"""Pictures of more than 8 bits a channel, brought to 8."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import PIL.Image
import PIL.ImageFile
from numpy.typing import NDArray

from mien.inference.silence import silent
from mien.preprocess import Image

WHITES = (255, 1023, 4095, 16383, 65535)
"""What white can be in a 16-bit picture, where its format does not say."""

BLOCK = 2**20
"""Values that are scaled at once."""

HALVED = ("RGB;16", "RGBA;16")
"""How Pillow's names of colours of 16 bits begin: it keeps the higher eight of them alone."""


def deep_colours(image: PIL.Image.Image) -> PIL.Image.Image | None:
    """Return a TIFF's colours of 16 bits, upright, in 8 bits; None if it has others.

    Of a camera's 12 bits, which are the lower ones, Pillow would leave hardly any.

    Args:
        image: The file's first picture, which was not decoded yet; its size has been checked.
    """
    if not isinstance(image, PIL.ImageFile.ImageFile) or image.format != "TIFF" or image.tell():
        return None
    if image.fp is None or not _is_halved(image):
        return None
    image.fp.seek(0)
    with silent():
        deep = cv2.imdecode(np.frombuffer(image.fp.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if deep is None or deep.dtype != np.uint16 or deep.ndim != 3:
        return None
    code = cv2.COLOR_BGRA2RGBA if deep.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return PIL.Image.fromarray(cv2.cvtColor(eight_bits(deep, None), code))


def _is_halved(image: PIL.ImageFile.ImageFile) -> bool:
    arguments = image.tile[0][3] if image.tile else None
    return isinstance(arguments, tuple) and str(arguments[0]).startswith(HALVED)


def eight_bits(values: NDArray[Any], white: float | None) -> Image:
    """Scale values of more than 8 bits to 0 to 255; None guesses white from the largest."""
    fraction = values.dtype.kind == "f"
    finite = np.nan_to_num(values, posinf=0.0, neginf=0.0) if fraction else values
    black = 0.0
    if white is None:
        black, white = _black_and_white(finite, fraction=fraction)
    flat, scaled = finite.reshape(-1), np.empty(finite.size, np.uint8)
    for start in range(0, flat.size, BLOCK):  # float64 of the whole would be eight times as much
        part = flat[start : start + BLOCK].astype(np.float64)
        scaled[start : start + BLOCK] = np.rint((part - black) * (255 / white))
    return scaled.reshape(values.shape)


def _black_and_white(values: NDArray[Any], *, fraction: bool) -> tuple[float, float]:
    """Return what is black, and how far white is from it, judged by the values that occur."""
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > WHITES[-1]:
        return low, high - low or 1.0
    if fraction and high <= 1:
        return 0.0, 1.0
    return 0.0, float(next(white for white in WHITES if high <= white))
