"""Working ahead: an iterator that runs in a thread of its own, a bounded number of items ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, TypeVar

from mien.inference.at_exit import stop_at_exit

T = TypeVar("T")

PATIENCE = 0.1
"""Seconds after which a waiting thread looks whether it is still wanted."""

_here = threading.local()


class UnwantedError(Exception):
    """Nobody waits any more for what this thread works on."""


def check_wanted() -> None:
    """Look whether the thread is still wanted: for what works long between two items of `Ahead`.

    Raises:
        UnwantedError: In a thread of an `Ahead` that was stopped, which it ends.
    """
    stopped: threading.Event | None = getattr(_here, "stopped", None)
    if stopped is not None and stopped.is_set():
        raise UnwantedError
    check: Callable[[], None] | None = getattr(_here, "check", None)
    if check is not None:
        check()


@contextmanager
def wanted_if(check: Callable[[], None]) -> Iterator[None]:
    """Let `check_wanted` call a check of this thread, too; what that raises ends the work."""
    _here.check = check
    try:
        yield
    finally:
        _here.check = None


class Ahead(Generic[T]):
    """Runs iterators, each in a thread, at most so many items ahead of whoever takes them.

    A slow taker thus slows the iterators down, and memory stays constant. The items of one iterator
    come in its order, those of several as they are ready. What an iterator raises is raised where
    items are taken. It is a context manager: leaving it ends the threads.

    Args:
        iterators: What is computed ahead.
        size: How many items may wait.
    """

    def __init__(self, *iterators: Iterable[T], size: int) -> None:
        self._queue: queue.Queue[T | _End] = queue.Queue(size)
        self._stopped = threading.Event()
        self._running = len(iterators)
        self._error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._work, args=(iterator,), daemon=True)
            for iterator in iterators
        ]

    def __enter__(self) -> Ahead[T]:
        stop_at_exit(self)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self, timeout: float | None = None) -> None:
        """End the threads, and wait for each for so many seconds; None for as long as it takes."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout)

    def __iter__(self) -> Iterator[T]:
        while items := self.take(1):
            yield from items

    def take(self, most: int) -> list[T]:
        """Wait for an item, and return it with those that are ready, too, up to `most`.

        Returns:
            At least one item; none when the iterators have ended, or were stopped.
        """
        items: list[T] = []
        while len(items) < most and self._running:
            try:
                item = self._queue.get(block=not items, timeout=PATIENCE)
            except queue.Empty:
                check_wanted()
                if items or self._stopped.is_set():
                    break
                continue
            if isinstance(item, _End):
                self._running = 0 if item.error else self._running - 1
                self._error = item.error
            else:
                items.append(item)
        if not items and self._error:
            raise self._error
        return items

    def _work(self, items: Iterable[T]) -> None:
        _here.stopped = self._stopped
        error: BaseException | None = None
        try:
            for item in items:
                if not self._put(item):
                    break
        except BaseException as raised:  # it belongs to whoever takes the items
            error = raised
        finally:
            if hasattr(items, "close"):
                items.close()
        self._put(_End(error))

    def _put(self, item: T | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=PATIENCE)
            except queue.Full:
                continue
            return True
        return False


class _End:
    """The end of an iterator, with what it raised."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
