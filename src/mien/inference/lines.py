"""A file of finished parts that survives an interruption: JSON lines behind a header."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

from pydantic import BaseModel, ValidationError

from mien.errors import MienError
from mien.sole import Sole

VERSION = 1
"""Version of the lines; another one cannot be resumed."""

Record = dict[str, Any]
"""One finished part."""

AnyLines = TypeVar("AnyLines", bound="Lines")


class UnfinishedError(MienError):
    """A file that holds finished parts of another run, which would be lost."""


@dataclass(frozen=True)
class _Header:
    journal: int
    settings: dict[str, Any]


class Lines:
    """A file of JSON lines: the settings, then one line per finished part, each written at once.

    Use `create` or `resume`; it is a context manager that closes the file. A kind of journal says
    in `_take` what it remembers of a line.

    Args:
        path: The file's path.
        file: That file, open for reading and writing.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._sole: Sole | None = None

    @classmethod
    def create(cls: type[AnyLines], path: Path, settings: BaseModel) -> AnyLines:
        """Start an empty journal.

        Raises:
            MienError: If the file cannot be written.
            UnfinishedError: If it holds finished parts of another run.
            BusyError: If another process writes it.
        """
        return cls._alone(path, lambda: cls._created(path, settings))

    @classmethod
    def resume(cls: type[AnyLines], path: Path, settings: BaseModel) -> AnyLines:
        """Carry on a journal, or start it where there is none.

        A last line that was cut short is dropped: its part is done again, and so are parts that
        failed, as what hindered them may be mended.

        Raises:
            MienError: If the journal was made with other settings, or is not a journal.
            BusyError: If another process writes it.
        """
        return cls._alone(path, lambda: cls._resumed(path, settings))

    @classmethod
    def _alone(cls: type[AnyLines], path: Path, begin: Callable[[], AnyLines]) -> AnyLines:
        try:
            sole = Sole(path.with_name(f".{path.name}.lock"), _busy(path))
        except OSError as error:
            raise MienError(f"{path} cannot be written: {error.strerror}.") from error
        try:
            journal = begin()
        except BaseException:
            sole.give_back()
            raise
        journal._sole = sole
        return journal

    @classmethod
    def _created(cls: type[AnyLines], path: Path, settings: BaseModel) -> AnyLines:
        try:
            _refuse_to_lose(path)
            file = path.open("wb+")
        except OSError as error:
            raise MienError(f"{path} cannot be written: {error.strerror}.") from error
        journal = cls(path, file)
        journal._append({"journal": VERSION, "settings": settings.model_dump(mode="json")})
        return journal

    @classmethod
    def _resumed(cls: type[AnyLines], path: Path, settings: BaseModel) -> AnyLines:
        if not path.exists() or path.stat().st_size == 0:
            return cls._created(path, settings)
        try:
            file = path.open("rb+")
        except OSError as error:
            raise MienError(f"{path} cannot be read: {error.strerror}.") from error
        journal = cls(path, file)
        try:
            end = journal._scan(settings)
            journal._forget_failed()
        except BaseException:
            file.close()
            raise
        if end == 0:
            file.close()
            return cls._created(path, settings)
        file.truncate(end)
        return journal

    def close(self) -> None:
        """Close the file and leave it where it is."""
        self._close_file()
        if self._sole is not None:
            self._sole.give_back()
            self._sole = None

    def discard(self) -> None:
        """Close the file and remove it: nothing is to be carried on."""
        self._close_file()
        self.path.unlink(missing_ok=True)
        self.close()

    def _close_file(self) -> None:
        # Each line was written at once: a full disk was said then, and fails here again.
        with suppress(OSError):
            self._file.close()

    def __enter__(self: AnyLines) -> AnyLines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Return how many parts are finished."""
        raise NotImplementedError

    def _take(self, record: Record, offset: int) -> None:
        """Remember a finished part whose line begins at an offset.

        Raises:
            KeyError, TypeError: If it is not the record of a finished part.
        """
        raise NotImplementedError

    def _forget_failed(self) -> None:
        """Forget parts that failed, so that they are done again."""
        raise NotImplementedError

    def _append(self, line: Record) -> int:
        offset = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(json.dumps(line).encode("ascii") + b"\n")
            self._file.flush()
        except OSError as error:  # which does not say of which file
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        return offset

    def _scan(self, settings: BaseModel) -> int:
        """Remember every finished part; return where the last whole line ends."""
        end = 0
        for number, line in enumerate(self._file, start=1):
            if not line.endswith(b"\n"):
                break
            if number == 1:
                _check_header(self.path, line, settings)
            else:
                self._take_line(number, line, end)
            end += len(line)
        return end

    def _take_line(self, number: int, line: bytes, offset: int) -> None:
        try:
            self._take(json.loads(line), offset)
        except (ValueError, KeyError, TypeError) as error:
            raise MienError(f"Line {number} of {self.path} is damaged: delete the file.") from error


def _busy(path: Path) -> str:
    return (
        f"{path} is being written by another process: wait until that has ended, or write to"
        " another file."
    )


def _refuse_to_lose(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("rb") as file:
        finished = [line for line in islice(file, 1, 2) if line.endswith(b"\n")]
    if finished:
        raise UnfinishedError(
            f"{path} holds the results of an interrupted run: continue it with --resume, "
            f"or delete the file."
        )


def _check_header(path: Path, line: bytes, settings: BaseModel) -> None:
    try:
        header = _Header(**json.loads(line))
        found = type(settings).model_validate(header.settings)
    except (ValueError, TypeError, ValidationError) as error:
        raise MienError(f"{path} does not hold the results of an interrupted run.") from error
    if header.journal != VERSION:
        raise MienError(f"{path} was written by another version of mien: delete the file.")
    for name in type(settings).model_fields:
        old, new = getattr(found, name), getattr(settings, name)
        if old != new:
            raise MienError(
                f"{path} was begun with {name} {old!r}, and this run has {new!r}: "
                f"use the same setting, or delete the file."
            )
