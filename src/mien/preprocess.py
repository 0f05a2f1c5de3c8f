"""From a picture and a square to the numbers a network sees: one value, the same code everywhere.

A `Preprocess` travels with the weights: training, evaluation, export and inference all use it.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Image = NDArray[np.uint8]
"""A picture: uint8, (H, W, 3) in RGB order or (H, W) grey, values 0 to 255."""

Batch = TypeVar("Batch", bound=Any)


class Square(BaseModel):
    """A square region of a picture in pixels; it may reach beyond the picture's edges.

    `x` and `y` are the left and top edge, `side` the length of an edge.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: float
    y: float
    side: float = Field(gt=0)


class Preprocess(BaseModel):
    """How a square of a picture becomes the network's input.

    Args:
        size: Height and width of the network's input in pixels.
        colour: Colour space of the input; "grey" has one channel.
        mean: Subtracted from pixel values 0 to 255.
        std: Divides the result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    size: int = Field(default=48, ge=8, le=512)
    colour: Literal["grey"] = "grey"
    mean: float = 127.5
    std: float = Field(default=64.0, gt=0)

    def crop(self, picture: Image, square: Square) -> Image:
        """Cut a square out of a picture and bring it to the network's size.

        What lies beyond the picture's edges repeats the edge pixels, as in FER2013's own crops.

        Args:
            picture: uint8 (H, W, 3) RGB or (H, W) grey.
            square: The region to cut, in the picture's pixels.

        Returns:
            uint8 (size, size), grey.
        """
        return resized(grey(_cut(picture, square)), self.size)

    def normalise(self, batch: Batch) -> Batch:
        """Scale float pixel values 0 to 255 to what the network was trained on.

        Args:
            batch: A float array or tensor of any shape; NumPy and torch are treated alike.
        """
        normalised: Batch = (batch - self.mean) / self.std
        return normalised

    def to_input(self, crops: Image) -> NDArray[np.float32]:
        """Turn crops, uint8 (N, size, size), into a network's input, float32 (N, 1, size, size)."""
        return self.normalise(crops.astype(np.float32))[:, None]


def resized(image: Image, side: int) -> Image:
    """Return a grey image (H, W) as (side, side): by areas if it shrinks, else by interpolation."""
    method = cv2.INTER_AREA if max(image.shape) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), dtype=np.uint8)


def grey(picture: Image) -> Image:
    """Return a picture as uint8 (H, W) grey; RGB is weighted as in ITU-R BT.601."""
    if picture.ndim == 2:
        return picture
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _cut(picture: Image, square: Square) -> Image:
    height, width = picture.shape[:2]
    side = max(1, round(square.side))
    rows = np.arange(round(square.y), round(square.y) + side)
    columns = np.arange(round(square.x), round(square.x) + side)
    if rows[0] >= 0 and columns[0] >= 0 and rows[-1] < height and columns[-1] < width:
        return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    # The nearest pixel inside stands for one beyond the edge.
    return picture[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)]
