"""One thread for long work, with a bounded queue before it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mien.apps.api.refusals import RefusedError

T = TypeVar("T")


class Turns:
    """Does one thing after the other.

    Args:
        waiting: How many may wait while one is done.
        seconds: How long somebody waits for it.
    """

    def __init__(self, waiting: int, seconds: float) -> None:
        self._room = threading.Semaphore(1 + waiting)
        self._seconds = seconds
        self._thread = ThreadPoolExecutor(1, "explaining")

    async def do(self, work: Callable[[], T]) -> T:
        """Do it when its turn has come, and return what it returns.

        Raises:
            RefusedError: With 429, if too many wait; with 503, if it takes too long: then it is
                not begun any more, or what comes of it is dropped.
        """
        if not self._room.acquire(blocking=False):
            raise RefusedError(429, "Too many faces wait to be explained: try again soon.", 2)
        # What goes on though nobody waits for it takes its room until it ends.
        future = self._thread.submit(work)
        future.add_done_callback(lambda _: self._room.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except asyncio.TimeoutError:
            raise RefusedError(503, "Explaining took too long: try again later.", 5) from None

    def close(self) -> None:
        """Do what waits, then end."""
        self._thread.shutdown()
