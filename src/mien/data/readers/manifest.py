"""Any list of pictures: CSV or Parquet with the columns `path,label[,subject,split]`.

Fatimatuzzahra et al. (2024) keep their dataset in such a CSV. Paths are relative to the list's
folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mien.data.parquet import parquet_file
from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.split_names import named_split
from mien.data.tables import csv_rows
from mien.data.tree import TreeFile
from mien.errors import DataError
from mien.labels import ClassNames

REQUIRED = ("path", "label")
OPTIONAL = ("subject", "split")

Row = Mapping[str, Any]


@READERS.register("manifest")
class Manifest(PictureReader):
    """Reader of lists; ids are the paths as they stand in the list."""

    order = 50

    def __init__(self, names: ClassNames) -> None:
        self._names = names

    def accepts(self, path: Path) -> bool:
        """Accept CSV and Parquet files."""
        return path.is_file() and path.suffix.lower() in (".csv", ".parquet")

    def entries(self, path: Path) -> list[Entry]:
        """List the pictures in the list's order.

        Raises:
            DataError: For a missing column, an unknown label or split; names file and row.
        """
        rows = list(_rows(path))
        self._names.check((str(row["label"]) for row in rows), str(path))
        return [self._entry(row, path, number) for number, row in enumerate(rows, start=2)]

    def _entry(self, row: Row, path: Path, number: int) -> Entry:
        return Entry(
            id=str(row["path"]),
            file=_file(row, path, number),
            expression=self._names.expression(str(row["label"])),
            split=named_split(_text(row, "split"), f"{path}, row {number}"),
            subject=_text(row, "subject"),
        )


def is_list(columns: Iterable[str]) -> bool:
    """Say whether a table's columns are those of a list."""
    return set(REQUIRED) <= {_column(name) for name in columns}


def _rows(path: Path) -> Iterable[Row]:
    rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    for number, read in enumerate(rows, start=2):
        row = {_column(name): value for name, value in read.items()}
        missing = [column for column in REQUIRED if row.get(column) in (None, "")]
        if missing:
            raise DataError(f"{path}, row {number}: wanted a value in {missing[0]!r}, found none.")
        yield row


def _csv(path: Path) -> Iterator[Row]:
    with csv_rows(path) as reader:
        _check_columns(path, reader.fieldnames or ())
        yield from reader


def _parquet(path: Path) -> Iterator[Row]:
    with parquet_file(path) as file:
        _check_columns(path, file.schema_arrow.names)
        rows = file.read().to_pylist()
    yield from rows


def _check_columns(path: Path, found: Iterable[str]) -> None:
    names = list(found)
    known = [_column(name) for name in names]
    missing = [column for column in REQUIRED if column not in known]
    if missing:
        raise DataError(
            f"{path}: wanted the columns {','.join(REQUIRED)}[,{','.join(OPTIONAL)}],"
            f" found no {missing[0]!r} in {','.join(names)[:80] or 'an empty file'!r}."
        )
    repeated = next((c for c in (*REQUIRED, *OPTIONAL) if known.count(c) > 1), None)
    if repeated is not None:
        raise DataError(f"{path}: wanted one column {repeated!r}, found {known.count(repeated)}.")


def _column(name: str) -> str:
    """Return a column's name as it is understood: `Subject` is no other column than `subject`."""
    return name.strip().lower()


def _text(row: Row, column: str) -> str:
    """Return an optional value as text without blanks round it; a subject may be the number 0."""
    value = row.get(column)
    return "" if value is None else str(value).strip()


def _file(row: Row, path: Path, number: int) -> TreeFile:
    picture = path.parent / str(row["path"])
    where = f"{path}, row {number}: {picture}"
    return TreeFile(PurePosixPath(str(row["path"])), where, picture)
