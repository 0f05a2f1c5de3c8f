"""When each frame of a video is shown, whatever its timestamps are like."""

from __future__ import annotations

import math
from fractions import Fraction

import av


class FrameClock:
    """Gives frames times that never fall.

    Where the timestamps begin again, as in files that were joined, what follows is carried on
    behind what was before. Where only those of presentation fall, they were made up in the order
    of decoding, and those of decoding are taken, as FFmpeg's own best guess does.

    Args:
        step: Seconds that a frame lasts, for those that have no timestamp.
        decoding: Whether to take the timestamps of decoding from the beginning.
        origin: The timestamp that is second 0, in seconds.

    Attributes:
        restarts: Where the timestamps began again, in seconds of the times given.
    """

    def __init__(self, step: float, *, decoding: bool, origin: Fraction = Fraction(0)) -> None:
        self.restarts: list[float] = []
        self._step = step
        self._decoding = decoding
        self._origin = origin
        self._offset = 0.0
        self._time: float | None = None
        self._stamp = -math.inf
        self._decoded = -math.inf

    def at(self, frame: av.VideoFrame) -> float:
        """Return when the next frame is shown, in seconds."""
        if self._made_up(frame):
            self._decoding, self._stamp = True, -math.inf
        stamp = frame.dts if self._decoding else frame.pts
        self._decoded = max(self._decoded, -math.inf if frame.dts is None else frame.dts)
        if stamp is None or frame.time_base is None:
            self._time = 0.0 if self._time is None else self._time + self._step
        else:
            seconds = float(stamp * frame.time_base - self._origin)
            self._time = self._stamped(stamp, seconds)
        return self._time

    def _made_up(self, frame: av.VideoFrame) -> bool:
        """Return whether the timestamp of presentation falls, and that of decoding does not."""
        if frame.pts is None or frame.dts is None or self._decoding:
            return False
        return frame.pts < self._stamp and frame.dts > self._decoded

    def _stamped(self, stamp: int, seconds: float) -> float:
        last = self._time
        if last is not None and stamp < self._stamp:
            self._offset = last + self._step - seconds
            self.restarts.append(last + self._step)
        self._stamp = stamp
        time = seconds + self._offset
        return time if last is None else max(last, time)
