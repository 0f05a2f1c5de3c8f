"""Clients' pictures, decoded within the memory that there is for all of them."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mien.apps.api.received import Received
from mien.errors import ImageError
from mien.inference.pictures import decode_picture, picture_size
from mien.preprocess import Image


class Decoder:
    """Decodes pictures; all that are in memory at one time have a bounded number of pixels.

    Args:
        pixels: Of the largest picture.
        together: Of all pictures at one time; who comes when they are too many waits. A single
            larger one is alone.
    """

    def __init__(self, pixels: int, together: int) -> None:
        self._pixels = pixels
        self._whole = self._free = together
        # Who waits for much room keeps the door, or those behind would take it bit by bit.
        self._door = threading.Lock()
        self._changed = threading.Condition()

    @contextmanager
    def decoded(self, picture: Received) -> Iterator[Image]:
        """Give a picture as uint8 (H, W, 3) in RGB order; it must be let go when the block ends.

        Raises:
            ImageError: If it did not come whole, is not a picture, damaged or too large.
        """
        if picture.problem:
            raise ImageError(picture.problem)
        content = io.BytesIO(picture.take())
        width, height = picture_size(content, picture.name, self._pixels)
        with self._room(width * height):
            yield decode_picture(content, picture.name, self._pixels)

    @contextmanager
    def _room(self, pixels: int) -> Iterator[None]:
        taken = min(pixels, self._whole)
        with self._door, self._changed:
            self._changed.wait_for(lambda: taken <= self._free)
            self._free -= taken
        try:
            yield
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify()
