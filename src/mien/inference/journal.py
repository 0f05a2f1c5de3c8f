"""What a run over many pictures has found so far: it survives an interruption."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from mien.errors import MienError
from mien.inference.face import Reading

VERSION = 1
"""Version of the journal's lines; another one cannot be resumed."""

Record = dict[str, Any]
"""One picture: `source`, `status` and `faces`, then `width` and `height` ("ok", "no face") or
`message` ("error")."""


class Settings(BaseModel):
    """What the readings of a run depend on: two runs with equal settings give equal rows.

    Args:
        model: The model's name.
        model_sha256: SHA-256 of its file.
        detector: The detector's name.
        detector_weights: The path of its weights; empty for its usual ones.
        inputs: The files and folders that are read.
        marked_copies: The folder of the marked copies; empty for none.
        labels: The label set's name.
        expressions: Its expressions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    model_sha256: str
    detector: str
    detector_weights: str = ""
    inputs: tuple[str, ...] = ()
    marked_copies: str = ""
    labels: str
    expressions: tuple[str, ...]


@dataclass(frozen=True)
class _Header:
    journal: int
    settings: dict[str, Any]


def printable(source: str) -> str:
    r"""Return a path as text any file format holds; bytes that are no UTF-8 become `\xff`."""
    # Python stands a lone surrogate, U+DC80 to U+DCFF, for a byte it could not decode.
    return re.sub("[\ud800-\udfff]", lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", source)


def picture_record(
    source: str | Path, size: tuple[int, int], readings: Sequence[Reading]
) -> Record:
    """Return the record of one picture.

    Args:
        source: The picture.
        size: Its width and height in pixels.
        readings: Its faces; empty where there is none.
    """
    faces = [reading.as_dict() for reading in readings]
    for face in faces:
        del face["source"]
    record = {"source": printable(str(source)), "status": "ok" if faces else "no face"}
    return {**record, "width": size[0], "height": size[1], "faces": faces}


class Journal:
    """A file of JSON lines: the settings, then one line per picture, each written at once.

    Use `Journal.create` or `Journal.resume`; it is a context manager that closes the file.

    Args:
        path: The journal's file.
        file: That file, open for reading and writing.
        offsets: Where the line of each finished picture begins.
    """

    def __init__(self, path: Path, file: BinaryIO, offsets: dict[str, int]) -> None:
        self.path = path
        self._file = file
        self._offsets = offsets

    @classmethod
    def create(cls, path: Path, settings: BaseModel) -> Journal:
        """Start an empty journal.

        Raises:
            MienError: If the file cannot be written, or holds finished pictures of another run.
        """
        try:
            _refuse_to_lose(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("wb+")
        except OSError as error:
            raise MienError(f"{path} cannot be written: {error.strerror}.") from error
        journal = cls(path, file, {})
        journal._append({"journal": VERSION, "settings": settings.model_dump(mode="json")})
        return journal

    @classmethod
    def resume(cls, path: Path, settings: BaseModel) -> Journal:
        """Carry on a journal, or start it where there is none.

        A last line that was cut short is dropped: its picture is done again.

        Raises:
            MienError: If the journal was made with other settings, or is not a journal.
        """
        if not path.exists() or path.stat().st_size == 0:
            return cls.create(path, settings)
        try:
            file = path.open("rb+")
        except OSError as error:
            raise MienError(f"{path} cannot be read: {error.strerror}.") from error
        try:
            offsets, end = _scan(path, file, settings)
        except BaseException:
            file.close()
            raise
        if end == 0:
            file.close()
            return cls.create(path, settings)
        file.truncate(end)
        return cls(path, file, offsets)

    def __contains__(self, source: str | Path) -> bool:
        return printable(str(source)) in self._offsets

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, source: str | Path, size: tuple[int, int], readings: Sequence[Reading]) -> None:
        """Write down the readings of one picture.

        Args:
            source: The picture.
            size: Its width and height in pixels.
            readings: Its faces; empty where there is none.
        """
        self.write(picture_record(source, size, readings))

    def add_error(self, source: str | Path, message: str) -> None:
        """Write down that a picture could not be read, and why."""
        source = printable(str(source))
        record = {"source": source, "status": "error", "message": printable(message), "faces": []}
        self.write(record)

    def write(self, record: Record) -> None:
        """Write down what was found in one picture, whose name is the record's `source`.

        Raises:
            MienError: If the journal holds that picture already.
        """
        if record["source"] in self._offsets:
            raise MienError(f"{record['source']} is in {self.path} already.")
        self._offsets[record["source"]] = self._append(record)

    def records(self) -> Iterator[Record]:
        """Give the finished pictures one by one, ordered by source."""
        for source in sorted(self._offsets):
            self._file.seek(self._offsets[source])
            yield json.loads(self._file.readline())

    def close(self) -> None:
        """Close the file and leave it where it is."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, line: Record) -> int:
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(line).encode("ascii") + b"\n")
        self._file.flush()
        return offset


def _refuse_to_lose(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("rb") as file:
        finished = [line for line in islice(file, 1, 2) if line.endswith(b"\n")]
    if finished:
        raise MienError(
            f"{path} holds the results of an interrupted run: continue it with --resume, "
            f"or delete the file."
        )


def _scan(path: Path, file: BinaryIO, settings: BaseModel) -> tuple[dict[str, int], int]:
    """Return where each finished picture's line begins, and where the last whole line ends."""
    offsets: dict[str, int] = {}
    end = 0
    for number, line in enumerate(file, start=1):
        if not line.endswith(b"\n"):
            break
        if number == 1:
            _check_header(path, line, settings)
        else:
            offsets[_source(path, number, line)] = end
        end += len(line)
    return offsets, end


def _source(path: Path, number: int, line: bytes) -> str:
    try:
        return str(json.loads(line)["source"])
    except (ValueError, KeyError, TypeError) as error:
        raise MienError(f"Line {number} of {path} is damaged: delete the file.") from error


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
