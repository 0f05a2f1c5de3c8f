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
    the usual time between looks is at most a third of the wait; a single long step, such as a
    camera's loss, counts as long as it is.

    Args:
        every: The detector looks at every so many frames.
    """

    def __init__(self, every: int = 1) -> None:
        self._every = every
        self._steps: deque[float] = deque(maxlen=WINDOW)
        self._last: float | None = None
        self._now = 0.0

    def at(self, time: float) -> float:
        """Return the clock's time at the next frame, whose own is given in seconds."""
        if self._last is None:
            self._now = time
        else:
            step = max(0.0, time - self._last)
            # The step itself says nothing of what is usual, unless there is no other yet.
            between = self._every * statistics.median_low(self._steps or (step,))
            self._steps.append(step)
            self._now += step * min(1.0, MEMORY / LOOKS / between) if between else step
        self._last = time
        return self._now
