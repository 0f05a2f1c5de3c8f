"""Results of many pictures as CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import IO, Any

from mien.errors import MienError, MissingExtraError, unknown_name
from mien.files import check_replaceable
from mien.inference.gathered import Gathered, partial_path
from mien.inference.journal import Journal, Settings
from mien.inference.lines import Record

Row = dict[str, Any]
"""One face, or one picture without a face, by column; None where a column says nothing."""

ROW_GROUP = 10_000
"""Rows that are in memory at once when Parquet is written."""

BESIDE = ("agreement", "not_a_face")
"""The columns that follow the probabilities: what the model says besides expressions."""

NUMBERS = ("x", "y", "width", "height", "detector_score")
"""The last columns of numbers: the box in pixels, and the detector's score."""


def columns(expressions: Iterable[str]) -> dict[str, type]:
    """Return the columns of a table of results, in order, each with its type."""
    first = {"source": str, "face": int, "status": str, "answer": str, "expression": str}
    numbers = ("confidence", *expressions, *BESIDE, *NUMBERS)
    return {**first, **dict.fromkeys(numbers, float), "message": str}


def rows(records: Iterable[Record], expressions: Iterable[str]) -> Iterator[Row]:
    """Give one row per face, and one per picture without a face or that could not be read."""
    empty = dict.fromkeys(columns(expressions))
    for record in records:
        picture = {key: record.get(key) for key in ("source", "status", "message")}
        for face in record.get("faces") or [{}]:
            yield {**empty, **picture, **_face_row(face)}


def _face_row(face: Record) -> Row:
    if not face:
        return {}
    alike = ("face", "answer", "expression", "confidence", *BESIDE, "detector_score")
    row = {name: face[name] for name in alike}
    return {**row, **face["probabilities"], **face["box"]}


def write_csv(records: Iterable[Record], expressions: tuple[str, ...], path: Path) -> None:
    """Write a table as CSV, UTF-8 with a header; an empty cell says nothing."""
    csv_table(rows(records, expressions), columns(expressions), path)


def csv_table(
    found: Iterable[Row], names: Collection[str], path: Path, line_end: str = "\n"
) -> None:
    """Write rows with these columns as CSV, as they come."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(_Lines(file, line_end), names, lineterminator=_Lines.GIVEN)
        writer.writeheader()
        writer.writerows(found)


class _Lines:
    """Takes the lines of a CSV writer and ends them as wanted.

    In many versions of Python the writer quotes a carriage return, which names may hold, only where
    its own lines end with one.
    """

    GIVEN = "\r\n"

    def __init__(self, file: IO[str], end: str) -> None:
        self._file, self._end = file, end

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix(self.GIVEN) + self._end)


def write_json(records: Iterable[Record], expressions: tuple[str, ...], path: Path) -> None:
    """Write an indented JSON array of pictures, each with its faces."""
    with path.open("w", encoding="utf-8") as file:
        separator = "["
        for record in records:
            text = json.dumps(record, indent=2, ensure_ascii=False)
            file.write(separator + "\n  " + text.replace("\n", "\n  "))
            separator = ","
        file.write("[]\n" if separator == "[" else "\n]\n")


def write_parquet(records: Iterable[Record], expressions: tuple[str, ...], path: Path) -> None:
    """Write a table as Parquet; a null says nothing. Needs pyarrow."""
    parquet_table(rows(records, expressions), columns(expressions), path)


def parquet_table(found: Iterable[Row], names: Mapping[str, type], path: Path) -> None:
    """Write rows with these columns as Parquet, `ROW_GROUP` of them at once."""
    import pyarrow
    import pyarrow.parquet

    types = {
        str: pyarrow.string(),
        int: pyarrow.int32(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in names.items()])
    waiting = iter(found)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while group := list(islice(waiting, ROW_GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))


Sink = Callable[[Iterable[Record], tuple[str, ...], Path], None]

SINKS: dict[str, Sink] = {"csv": write_csv, "json": write_json, "parquet": write_parquet}
"""What writes the pictures of a run to a file, by the name of the format."""


def chosen_form(out: Path, form: str | None, known: Collection[str]) -> str:
    """Return the format in which a file is to be written.

    Args:
        out: The file.
        form: Its format; None for the one its suffix names.
        known: The formats there are.

    Raises:
        MienError: If the format is not known or is not that of the suffix, or `out` is no file.
        MissingExtraError: If the format is Parquet and pyarrow is not installed.
    """
    named = out.suffix.lower().lstrip(".")
    form = form or named
    if not form:
        suffixes = [f".{name}" for name in sorted(known)]
        listed = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise MienError(f"{out} must end in {listed}, so that its format is known.")
    if form not in known:
        raise MienError(unknown_name("format", form, known))
    if named in known and named != form:
        raise MienError(f"{out} is named as {named}, and the format asked for is {form}.")
    check_replaceable(out)
    # Better said now than when the last picture is done.
    if form == "parquet" and find_spec("pyarrow") is None:
        raise MissingExtraError("Writing Parquet", "parquet")
    return form


class Results(Gathered[Journal]):
    """Gathers the results of a run and puts them in place when it ends without error.

    Until then they stand in `<out>.partial`, which an interrupted run leaves behind. A run that
    would overwrite finished pictures there, because it does not resume, is refused.

        with Results(Path("faces.csv"), analyzer.settings, resume=True) as results:
            for path in find_pictures(inputs):
                if path not in results.journal:
                    ...
                    results.journal.add(path, (width, height), readings)

    Args:
        out: The file to write.
        settings: What the readings depend on.
        form: "csv", "json" or "parquet"; None for the one `out`'s suffix names.
        resume: Whether to carry on an interrupted run with the same settings.

    Attributes:
        journal: What is finished so far.

    Raises:
        MienError: If the format is not known, the file cannot be written, or the interrupted run
            had other settings.
        MissingExtraError: If the format is Parquet and pyarrow is not installed.
    """

    def __init__(
        self, out: Path, settings: Settings, form: str | None = None, *, resume: bool = False
    ) -> None:
        write = SINKS[chosen_form(out, form, SINKS)]
        start = Journal.resume if resume else Journal.create

        def put(journal: Journal, path: Path) -> None:
            write(journal.records(), settings.expressions, path)

        super().__init__(out, start(partial_path(out), settings), put)
