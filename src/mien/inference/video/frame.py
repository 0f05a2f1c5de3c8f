"""One frame of a video or a camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mien.preprocess import Image

if TYPE_CHECKING:
    from av import VideoFrame


@dataclass(frozen=True)
class Place:
    """Where a frame stands in its video.

    Args:
        index: Its number from 0, counting every frame that can be decoded.
        time: Its presentation time in seconds, from the stream's timestamps; in formats that begin
            at any of them, such as MPEG's, from the beginning of the file.
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


@dataclass(frozen=True)
class DecodedFrame:
    """A frame that is not converted yet, as one that is passed over never need be.

    Args:
        place: Where it stands.
        decoded: FFmpeg's frame.
        convert: Makes a picture of that, as `Frame` has it; for one thread alone.
    """

    place: Place
    decoded: VideoFrame
    convert: Callable[[VideoFrame], Image]

    def frame(self) -> Frame:
        """Return the frame with its picture."""
        return Frame(self.place, self.convert(self.decoded))
