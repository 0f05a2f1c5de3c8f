"""One frame of a video or a camera."""

from __future__ import annotations

from dataclasses import dataclass

from mien.preprocess import Image


@dataclass(frozen=True)
class Place:
    """Where a frame stands in its video.

    Args:
        index: Its number from 0, counting every frame that can be decoded.
        time: Its presentation time in seconds, from the stream's timestamps.
        damaged: How many parts of the video before it could not be decoded.
    """

    index: int
    time: float
    damaged: int = 0


@dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Args:
        place: Where it stands.
        picture: uint8 (H, W, 3) in RGB order, upright, with square pixels.
    """

    place: Place
    picture: Image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.shape[1], self.picture.shape[0]
