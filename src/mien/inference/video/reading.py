"""What is read from a frame: its faces, whose they are, and what they express."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien.inference.face import Reading
from mien.inference.video.frame import Place


@dataclass(frozen=True)
class FaceReading(Reading):
    """The expression on one face of one frame.

    Args:
        place: Where the frame stands in its video.
        track: Number of the person, from 1 in the order of appearance.
        detected: Whether the detector found the face in this frame; otherwise it was followed from
            earlier frames, and `face.score` is that of the last detection.
    """

    place: Place
    track: int
    detected: bool

    @property
    def frame(self) -> int:
        """The frame's number, from 0."""
        return self.place.index

    @property
    def time(self) -> float:
        """The frame's presentation time in seconds."""
        return self.place.time

    @property
    def caption(self) -> str:
        """What stands beside the face in a marked frame: the person's number, too."""
        return f"{self.track}: {super().caption}"

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as plain values, ready for JSON."""
        where = {"frame": self.frame, "time": self.time, "track": self.track}
        return {**super().as_dict(), **where, "detected": self.detected}


@dataclass(frozen=True)
class FrameReadings:
    """What is read from one frame.

    Args:
        source: The video, as text.
        place: Where the frame stands.
        size: Its width and height in pixels.
        readings: Its faces, largest first; empty where there is none.
        clock: When it came from a camera or a stream, in UTC, as ISO 8601 has it; None of a file.
    """

    source: str
    place: Place
    size: tuple[int, int]
    readings: tuple[FaceReading, ...]
    clock: str | None = None
