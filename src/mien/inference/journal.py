"""What a run over many pictures has found so far: it survives an interruption."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from mien.errors import MienError
from mien.inference.face import Reading
from mien.inference.lines import Lines, Record

FAILED = ("error", "unreadable")
"""The status of a picture that could not be read."""


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

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    model_sha256: str
    detector: str
    detector_weights: str = ""
    inputs: tuple[str, ...] = ()
    marked_copies: str = ""
    labels: str
    expressions: tuple[str, ...]


def printable(source: str) -> str:
    r"""Return a path as text any file format holds; bytes that are no UTF-8 become `\xff`."""
    # Python stands a lone surrogate, U+DC80 to U+DCFF, for a byte it could not decode.
    return re.sub("[\ud800-\udfff]", lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", source)


def picture_record(
    source: str | Path, size: tuple[int, int], readings: Sequence[Reading]
) -> Record:
    """Return the record of one picture.

    It has `source`, `status` and `faces`, then `width` and `height` ("ok", "no face") or `message`
    ("error").

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


class Journal(Lines):
    """What is found in each picture, written at once. Use `Journal.create` or `Journal.resume`."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        super().__init__(path, file)
        self._offsets: dict[str, int] = {}
        self._failed: set[str] = set()

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

    def _take(self, record: Record, offset: int) -> None:
        source = str(record["source"])
        self._offsets[source] = offset
        (self._failed.add if record["status"] in FAILED else self._failed.discard)(source)

    def _forget_failed(self) -> None:
        for source in self._failed:
            del self._offsets[source]
