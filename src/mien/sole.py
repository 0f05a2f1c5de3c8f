"""Files and folders that one process at a time writes."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import BusyError

if TYPE_CHECKING:
    from filelock import BaseFileLock

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What file systems of networks say that know no locks: there, nothing keeps others out."""


def take(path: Path, sentence: str) -> BaseFileLock | None:
    """Lock a file, which is made, until `give_back` or the end of the process, however that comes.

    Args:
        path: The lock's file. Its folder is made if it is missing.
        sentence: What to say if another process has it.

    Returns:
        The lock; None where the file system knows none.

    Raises:
        BusyError: If another process has it.
        OSError: If the file cannot be written.
    """
    # It imports asyncio, which to read one photo needs nobody.
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise BusyError(sentence) from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        path.unlink(missing_ok=True)
        return None
    return lock


def give_back(lock: BaseFileLock | None) -> None:
    """Let go of a lock, if it is one, and remove its file."""
    if lock is None:
        return
    with suppress(OSError):  # Windows removes no open file
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


@contextmanager
def sole(path: Path, sentence: str) -> Iterator[None]:
    """Hold a lock for a block; args and errors are those of `take`."""
    lock = take(path, sentence)
    try:
        yield
    finally:
        give_back(lock)
