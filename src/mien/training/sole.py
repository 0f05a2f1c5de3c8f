"""One training at a time in a run's folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mien.errors import BusyError

LOCK = ".training.lock"
"""The file that a training locks. It stays, empty: to remove it would let two lock two files."""


@contextmanager
def sole_training(folder: Path) -> Iterator[None]:
    """Keep every other training out of a run's folder, which is made if it is missing.

    The lock is the operating system's: it is gone with the process, however that ends.

    Raises:
        BusyError: If another training has the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise BusyError(
            f"{folder} is being trained in by another process: wait until that has ended, or give"
            " another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()
