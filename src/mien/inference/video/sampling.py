"""Which frames of a video are read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mien.errors import MienError
from mien.inference.video.frame import Place

SLACK = 1e-6
"""Seconds by which a timestamp may fall short of its turn through rounding."""

MOST_FPS = 1e6
"""Frames a second of the fastest videos, and more."""


class Placed(Protocol):
    """What stands somewhere in a video: a frame, with its picture or without."""

    @property
    def place(self) -> Place:
        """Where it stands."""
        ...


AnyPlaced = TypeVar("AnyPlaced", bound=Placed)


@dataclass(frozen=True)
class Sampling:
    """Which frames of a video are read: all, every n-th, or so many a second, between two times.

    Args:
        every: Every so many frames one is read.
        fps: At most so many frames a second of the video's time are read; None for all.
        start: The first time that is read, in seconds of the stream's timestamps, which may begin
            before 0; None for the beginning.
        end: The time from which no more is read; None for the end.

    Raises:
        MienError: If a value makes no sense, or both `every` and `fps` are given.
    """

    every: int = 1
    fps: float | None = None
    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise MienError(f"Every n-th frame: n must be 1 or more. Got {self.every} instead.")
        if self.fps is not None and not 0 < self.fps <= MOST_FPS:
            raise MienError(
                f"The frames per second must be above 0 and at most {MOST_FPS:,.0f}. "
                f"Got {self.fps:g} instead."
            )
        if self.fps is not None and self.every != 1:
            raise MienError("Give every n-th frame or frames per second, not both.")
        self._check_span()

    def _check_span(self) -> None:
        start = -math.inf if self.start is None else self.start
        wrong = self.start is not None and not math.isfinite(start)
        if wrong or (self.end is not None and not self.end > start):
            raise MienError(
                f"The end must be later than the start. Got {start:g} to {self.end} s instead."
            )

    @property
    def span(self) -> str:
        """Which times are read, in words."""
        if self.end is None:
            return "at any time" if self.start is None else f"from {self.start:g} s on"
        if self.start is None:
            return f"before {self.end:g} s"
        return f"from {self.start:g} to {self.end:g} s"

    def pick(self, frames: Iterable[AnyPlaced], after: Place | None = None) -> Iterator[AnyPlaced]:
        """Give the frames that are read, by where they stand: their pictures are not looked at.

        Args:
            frames: The video's frames, in order.
            after: The last frame that was read before `frames` begin; None at the beginning.
        """
        turn = None if after is None else self._turn(after)
        for frame in frames:
            if self.end is not None and frame.place.time >= self.end:
                return
            if self.start is not None and frame.place.time < self.start:
                continue
            previous, turn = turn, self._turn(frame.place)
            if turn != previous and frame.place.index % self.every == 0:
                yield frame

    def _turn(self, place: Place) -> int:
        """Return the number of the frame's turn, of which only one frame is read."""
        return place.index if self.fps is None else math.floor((place.time + SLACK) * self.fps)
