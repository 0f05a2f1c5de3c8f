"""Threads that end before Python does, also where nobody ended them."""

from __future__ import annotations

import atexit
import weakref
from typing import Protocol


class Stoppable(Protocol):
    """Something with threads."""

    def stop(self, timeout: float | None = None) -> None:
        """End the threads, and wait for that for so many seconds; None for as long as it takes."""
        ...


PATIENCE = 2.0
"""Seconds for which Python's end waits for each, whose read may hang."""

_running: weakref.WeakSet[Stoppable] = weakref.WeakSet()


def stop_at_exit(one: Stoppable) -> None:
    """Stop something when Python ends, if it is still there.

    A thread in FFmpeg or OpenCV whose interpreter has gone aborts the whole program.
    """
    _running.add(one)


@atexit.register
def _stop_all() -> None:
    for one in list(_running):
        one.stop(PATIENCE)
