"""The newest frame of a live source, in a thread that never waits for whoever takes it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType

from mien.errors import VideoError
from mien.inference.at_exit import stop_at_exit
from mien.inference.live.sources import TIMEOUT, Shot, Source

FIRST_PAUSE = 0.5
"""Seconds before a lost source is opened again; doubled each time."""

LONGEST_PAUSE = 5.0
"""Seconds at most between two attempts."""

LEAST_SILENCE = 2 * TIMEOUT
"""Seconds without a frame for which a source may only be slow, however impatient one is: a stream's
own time limit comes first."""


@dataclass(frozen=True)
class Taken:
    """The newest frame.

    Args:
        shot: The frame.
        index: Its number from 0, counting every frame that came.
        dropped: How many frames came since the one taken before, and were not taken.
    """

    shot: Shot
    index: int
    dropped: int


class Latest:
    """Keeps the newest frame of a source and drops older ones; opens a lost source again.

    It is a context manager: leaving it closes the source.

    Args:
        source: Where the frames come from.
        patience: Seconds without a frame after which a lost source is given up.

    Attributes:
        lost: Why the source is gone at the moment; empty while frames come.
    """

    def __init__(self, source: Source, patience: float) -> None:
        self.lost = ""
        self._source = source
        self._patience = patience
        self._changed = threading.Condition()
        self._shot: Shot | None = None
        self._count = 0
        self._taken = 0
        self._error: BaseException | None = None
        self._ended = False
        self._alive = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Latest:
        stop_at_exit(self)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A read that hangs must not hold the program up; the thread is a daemon.
        self.stop(timeout=1)

    def stop(self, timeout: float | None = None) -> None:
        """Close the source, and wait for that for so many seconds."""
        self._stopped.set()
        self._thread.join(timeout)

    @property
    def ended(self) -> bool:
        """Whether no more frames will come."""
        return self._ended and self._shot is None and self._error is None

    def take(self, timeout: float) -> Taken | None:
        """Return the newest frame that was not taken yet.

        Args:
            timeout: Seconds to wait for one.

        Returns:
            The frame; None if none came, or the source has ended.

        Raises:
            VideoError: If the source cannot be opened, or was lost and did not come back, or gives
                neither a frame nor an error for longer than one is patient.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._shot is not None or self._ended, timeout)
            shot, self._shot = self._shot, None
            if shot is None and self._error is not None:
                raise self._error
            if shot is None:
                self._check_silence()
                return None
            dropped, self._taken = self._count - self._taken - 1, self._count
            return Taken(shot, self._count - 1, dropped)

    def _check_silence(self) -> None:
        longest = max(self._patience, LEAST_SILENCE)
        silent = time.monotonic() - self._alive
        # A file may hold frames that are far apart.
        if self._source.returns and not self._ended and silent > longest:
            raise VideoError(
                f"{self._source.name} was lost: reading it hangs, and no frame came in "
                f"{longest:g} s."
            )

    def _work(self) -> None:
        try:
            self._read_again_and_again()
        except BaseException as error:  # it belongs to whoever takes the frames
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_again_and_again(self) -> None:
        pause, last = FIRST_PAUSE, time.monotonic()
        while not self._stopped.is_set():
            before = self._count
            error = self._read()
            self._alive = time.monotonic()
            if not self._source.returns or (error and not self._count):
                if error:
                    raise error
                return
            if self._count > before:
                pause, last = FIRST_PAUSE, time.monotonic()
            self.lost = str(error or f"{self._source.name} ended.")
            if time.monotonic() - last + pause > self._patience:
                raise VideoError(f"{self.lost} It did not come back in {self._patience:g} s.")
            self._stopped.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _read(self) -> VideoError | None:
        """Read the source until it ends; return how it failed, if it did."""
        self._alive = time.monotonic()
        try:
            with closing(self._source.shots()) as shots:
                for shot in shots:
                    if self._stopped.is_set():
                        return None
                    self._put(shot)
        except VideoError as error:
            return error
        return None

    def _put(self, shot: Shot) -> None:
        with self._changed:
            self._shot, self.lost, self._alive = shot, "", time.monotonic()
            self._count += 1
            self._changed.notify_all()
