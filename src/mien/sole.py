"""Files and folders that one process at a time writes."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from mien.errors import BusyError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""What a system says of a file that another process has locked."""

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What file systems say that know no locks, as some of networks: there, nobody is kept out."""

TRIES = 100
"""Another process may remove the file or its folder between two steps here, so often in a row."""


class Sole:
    """The right to be the only process that writes something: a locked file beside it.

    The operating system has the lock, so it ends with the process, however that ends; a file that
    marks a lock by being there, to which libraries resort, would outlive a kill.

    Args:
        path: The file to lock. It and its folders are made, and removed afterwards: folders only
            if they were made for the lock and are empty.
        sentence: What to say if another process has it.

    Raises:
        BusyError: If another process has it.
        OSError: If the file cannot be made.
    """

    def __init__(self, path: Path, sentence: str) -> None:
        self._path = path
        self._made = list(takewhile(lambda folder: not folder.exists(), path.parents))
        self._file = _locked(path, sentence)

    def give_back(self) -> None:
        """Let others write."""
        if sys.platform == "win32":  # which removes no open file
            self._file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._file.close()
        with suppress(OSError):  # what is not empty stays
            for folder in self._made:
                folder.rmdir()

    def __enter__(self) -> Sole:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()


def is_taken(path: Path) -> bool:
    """Say whether another process, or this one, has the lock of a file."""
    if not path.exists():
        return False
    try:
        Sole(path, "").give_back()
    except BusyError:
        return True
    return False


def _locked(path: Path, sentence: str) -> BinaryIO:
    for _ in range(TRIES):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # who had it has just removed the folder
            file = path.open("ab")
            try:
                _lock(file)
                if _is_at(file, path):
                    return file
            except OSError as error:
                file.close()
                if error.errno in BUSY:
                    raise BusyError(sentence) from error
                raise
            file.close()
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK), str(path))


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Say whether a file is still there: who had its lock may have removed it meanwhile."""
    return os.path.samestat(os.fstat(file.fileno()), path.stat())


def _lock(file: BinaryIO) -> None:
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
