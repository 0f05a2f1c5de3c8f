"""One thread for long work, with a bounded queue before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mien.apps.api.refusals import RefusedError

T = TypeVar("T")


class Turns:
    """Does one thing after the other.

    Args:
        waiting: How many may wait while one is done.
    """

    def __init__(self, waiting: int) -> None:
        self._most = 1 + waiting
        self._now = 0
        self._thread = ThreadPoolExecutor(1, "explaining")

    async def do(self, work: Callable[[], T]) -> T:
        """Do it when its turn has come, and return what it returns; to be called by one loop.

        Raises:
            RefusedError: With 429, if too many wait.
        """
        if self._now >= self._most:
            raise RefusedError(429, "Too many faces wait to be explained: try again soon.", 2)
        self._now += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._now -= 1

    def close(self) -> None:
        """Do what waits, then end."""
        self._thread.shutdown()
