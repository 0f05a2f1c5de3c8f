"""The time by which faces are followed, which few frames a second slow down."""

from __future__ import annotations

import statistics
from collections import deque

from mien.inference.tracking.tracker import MEMORY

LOOKS = 3
"""How often the detector looks, at least, before a face that is not seen is given up."""

WINDOW = 15
"""Steps before this one whose median is the usual one."""


class TrackingClock:
    """Runs as the video does where frames are dense, and slower where they are sparse.

    A tracker waits for so many seconds, and lets a face come so much further in each. Where the
    detector looks every two seconds it would give up everybody between two looks. By this clock
    the usual time between looks is at most a third of the wait. A single long step, such as a
    camera's loss, counts as long as it is, unless it is known that a frame was shown all the time.

    Args:
        every: The detector looks at every so many frames.
    """

    def __init__(self, every: int = 1) -> None:
        self._every = every
        self._steps: deque[float] = deque(maxlen=WINDOW)
        self._last: float | None = None
        self._now = 0.0

    def at(self, time: float, *, held: bool = False) -> float:
        """Return the clock's time at the next frame.

        Args:
            time: The frame's own time in seconds.
            held: Whether there was no frame between the last one and this one.
        """
        if self._last is None:
            self._now = time
        else:
            step = max(0.0, time - self._last)
            # The step itself says nothing of what is usual, unless there is no other yet.
            usual = statistics.median_low(self._steps or (step,))
            self._steps.append(step)
            most = MEMORY / LOOKS / self._every
            step *= min(1.0, most / usual) if usual else 1.0
            self._now += min(step, most) if held else step
        self._last = time
        return self._now
