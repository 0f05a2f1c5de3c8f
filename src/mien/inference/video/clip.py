"""The frames of a video file, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

from av.container import InputContainer

from mien.errors import VideoError
from mien.inference.video.container import open_video
from mien.inference.video.decoding import (
    Decoding,
    can_be_wound,
    end_of_picture,
    frame_rate,
    length_of_picture,
    start_of_picture,
)
from mien.inference.video.frame import DecodedFrame, Frame, Place
from mien.inference.video.gif import gif_is_cut
from mien.inference.video.kind import is_photo
from mien.inference.video.sound import known_track

MARGIN = 2.0
"""Seconds before a wanted frame to which a video is wound: the frames just after a key frame may
need frames before it."""


class Clip:
    """A video file. Its frames are decoded one by one and never held.

    Args:
        path: Anything FFmpeg opens: MP4, MOV, WebM, MKV, AVI, GIF, …
        most_pixels: Frames that are larger, as they are stored, are damage; 0 for any size.

    Attributes:
        path: The file.
        rate: Frames per second on average; 0 where the file does not say.
        start: When its first frame is shown, in seconds; 0 where the file does not say.
        end: When its picture ends, in seconds; None where the file does not say.
        length: Seconds from its start to its end; None where the file does not say.
        unheard: Whether it has sound, and none in a format that is known.
        problems: Sentences about what could not be decoded; whole when `frames` has ended.
        until: When the last frame that was decoded ends, in seconds; None until `frames` has ended.

    Raises:
        VideoError: If the file is missing, not a video, or has sound only.
    """

    def __init__(self, path: Path, most_pixels: int = 0) -> None:
        self.path = path
        self._most_pixels = most_pixels
        self.problems: list[str] = []
        self.until: float | None = None
        with self.opened() as container:
            self.rate = frame_rate(container)
            self.start = start_of_picture(container)
            self.end = end_of_picture(container)
            self.length = length_of_picture(container)
            self.unheard = bool(container.streams.audio) and known_track(container) is None

    def opened(self) -> InputContainer:
        """Open the file once more; it is for the caller to close."""
        return open_video(self.path, most_pixels=self._most_pixels)

    def frames(self, after: Place | None = None) -> Iterator[Frame]:
        """Give the frames with their pictures; see `decoded`."""
        return (found.frame() for found in self.decoded(after))

    def decoded(self, after: Place | None = None) -> Iterator[DecodedFrame]:
        """Give the frames in the order of presentation.

        Damaged parts are left out; what they were is in `problems` when the frames have ended.

        Args:
            after: The last frame that is not wanted; None for the whole video.

        Raises:
            VideoError: If not one frame can be decoded.
        """
        last = after
        for found in self._from_start() if after is None else self._after(after):
            last = found.place
            yield found
        if last is None and is_photo(self.path):
            raise VideoError(f"{self.path} is a photo, not a video, and it is damaged.")
        if last is None:
            raise VideoError(" ".join([f"{self.path} has no frame to read.", *self.problems]))

    def at(self, place: Place) -> Frame | None:
        """Return one frame; None if it cannot be found by its timestamp."""
        if not self._windable:
            return None
        with self.opened() as container:
            found = self._decoding(container).find(place, MARGIN)
            return None if found is None else found.frame()

    @cached_property
    def _windable(self) -> bool:
        with self.opened() as container:
            return can_be_wound(container)

    def _decoding(self, container: InputContainer) -> Decoding:
        return Decoding(container, self.rate, most_pixels=self._most_pixels)

    def _from_start(self, skip: int = 0) -> Iterator[DecodedFrame]:
        with self.opened() as container:
            decoding = self._decoding(container)
            yield from islice(decoding, skip, None)
        self._close(decoding)

    def _close(self, decoding: Decoding) -> None:
        self.until = decoding.until
        self.problems = decoding.problems(str(self.path), self.end)
        if not self.problems and gif_is_cut(self.path):
            self.problems = [
                f"{self.path} is cut short: it ends at {self.until:.2f} s, without"
                " the mark of a GIF's end."
            ]

    def _after(self, after: Place) -> Iterator[DecodedFrame]:
        if self._windable:
            with self.opened() as container:
                decoding = self._decoding(container)
                if decoding.find(after, MARGIN):
                    yield from decoding
                    self._close(decoding)
                    return
        # Timestamps that are missing, repeated or begin again: the frames have to be counted.
        yield from self._from_start(after.index + 1)
