"""How long something took, over interruptions."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

from mien.files import read_json, write_json

PAUSE = 20.0
"""Seconds between two notes: what a kill can take away."""


class Stopwatch:
    """Adds up wall time in a file, which a kill survives. It is a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = float(read_json(path)) if path.exists() else 0.0
        self._began = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._note_often, daemon=True)

    @property
    def seconds(self) -> float:
        """All time so far."""
        return self._before + time.monotonic() - self._began

    def __enter__(self) -> Stopwatch:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._note()

    def _note_often(self) -> None:
        while not self._over.wait(PAUSE):
            self._note()

    def _note(self) -> None:
        write_json(self._path, self.seconds)
