"""Reading live frames one at a time, always the newest."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from mien.errors import MienError
from mien.inference.analyzer import Analyzer
from mien.inference.live.latest import Latest, Taken
from mien.inference.live.sources import Source
from mien.inference.video.finder import FaceFinder, Search
from mien.inference.video.frame import Frame, Place
from mien.inference.video.pipeline import classify, cut
from mien.inference.video.reading import FaceReading, FrameReadings
from mien.inference.video.smoothing import Causal
from mien.preprocess import Image

WAIT = 0.2
"""Seconds after which a session without a new frame says so."""

WINDOW = 30
"""Frames over which rate and latency are taken."""


@dataclass(frozen=True)
class Pace:
    """How a session keeps up.

    Args:
        rate: Frames read per second.
        latency: Median seconds from a frame's arrival until whoever takes the frames, such as a
            window, asked for the next one; 0 at the first.
        dropped: How many frames were dropped so far because newer ones had come.
    """

    rate: float
    latency: float
    dropped: int


@dataclass(frozen=True)
class LiveFrame:
    """A frame that was read.

    Args:
        picture: uint8 (H, W, 3) in RGB order.
        read: What was read, raw.
        shown: The faces' readings as they are to be shown: smoothed, if that was asked for.
        arrived: When the frame came, on the clock of `time.monotonic`.
        pace: How the session keeps up.
    """

    picture: Image
    read: FrameReadings
    shown: tuple[FaceReading, ...]
    arrived: float
    pace: Pace


@dataclass(frozen=True)
class Lost:
    """No frame came for a while.

    Args:
        reason: Why; empty if nothing is known to be wrong.
    """

    reason: str


class LiveSession:
    """Reads the newest frame of a source, again and again.

    Args:
        analyzer: Reads the faces.
        source: Where frames come from.
        search: How often and how closely the detector looks.
        smooth: Seconds over which what is shown is smoothed; None for raw readings.
        patience: Seconds after which a lost source is given up.

    Raises:
        MienError: If a value makes no sense.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        source: Source,
        search: Search | None = None,
        smooth: float | None = None,
        patience: float = 60.0,
    ) -> None:
        if not patience >= 0:
            raise MienError(f"The seconds to wait for a source must be 0 or more. Got {patience}.")
        self._analyzer = analyzer
        self._source = source
        self._finder = FaceFinder(analyzer.new_detector(), search or Search(), live=True)
        self._causal = None if smooth is None else Causal(smooth)
        self._patience = patience
        self._pace = _PaceMeter()

    def frames(self) -> Iterator[LiveFrame | Lost]:
        """Give each frame that was read, and `Lost` while there is none.

        Raises:
            VideoError: If the source cannot be opened, or was lost and did not come back.
        """
        start: float | None = None
        with Latest(self._source, self._patience) as latest:
            while not latest.ended:
                taken = latest.take(WAIT)
                if taken is None:
                    yield Lost(latest.lost)
                    continue
                if start is None:
                    start = taken.shot.arrived
                yield self._read(taken, start)
                self._pace.done(time.monotonic() - taken.shot.arrived)

    def _read(self, taken: Taken, start: float) -> LiveFrame:
        shot = taken.shot
        since = shot.arrived - start if shot.time is None else shot.time
        frame = Frame(Place(taken.index, since), shot.picture)
        found = cut(self._analyzer, frame, self._finder.find(frame))
        read = next(classify(self._analyzer, [found], self._source.name))
        if shot.time is None:
            read = replace(read, clock=_clock(shot.arrived))
        shown = tuple(map(self._smoothed, read.readings))
        pace = self._pace.read(time.monotonic(), taken.dropped)
        return LiveFrame(shot.picture, read, shown, shot.arrived, pace)

    def _smoothed(self, reading: FaceReading) -> FaceReading:
        if self._causal is None:
            return reading
        face = reading.verdict.outcome != "not a face"
        values = self._causal(reading.track, reading.time, reading.probabilities, counted=face)
        return replace(reading, probabilities=values)


def _clock(arrived: float) -> str:
    """Return when a frame came, in UTC, as ISO 8601 with milliseconds.

    The system's clock, which may be set right during a session, is asked for each frame anew.
    """
    ago = timedelta(seconds=time.monotonic() - arrived)
    when = datetime.now(timezone.utc) - ago
    return when.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


class _PaceMeter:
    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=WINDOW)
        self._latencies: deque[float] = deque(maxlen=WINDOW)
        self._dropped = 0

    def read(self, now: float, dropped: int) -> Pace:
        self._times.append(now)
        self._dropped += dropped
        span = self._times[-1] - self._times[0]
        rate = (len(self._times) - 1) / span if span > 0 else 0.0
        latency = statistics.median(self._latencies) if self._latencies else 0.0
        return Pace(rate, latency, self._dropped)

    def done(self, latency: float) -> None:
        self._latencies.append(latency)
