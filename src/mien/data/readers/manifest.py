"""Any list of pictures: CSV or Parquet with the columns `path,label[,subject,split]`.

Fatimatuzzahra et al. (2024) keep their dataset in such a CSV. Paths are relative to the list's
folder. A face may have no label.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mien.data.parquet import parquet_file
from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.readers.cells import people, said, said_class
from mien.data.readers.classes import Classes
from mien.data.split_names import named_split
from mien.data.tables import column_name, csv_rows
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
        labels = [said_class(row["label"], self._names) for row in rows]
        self._names.check(filter(None, labels), str(path))
        classes = Classes(self._names)
        shown = [classes.expression(label) for label in labels]
        subjects, nobody = people(row.get("subject") for row in rows)
        self.notes = (*classes.notes, *nobody)
        numbered = enumerate(zip(rows, shown, subjects), start=2)
        return [_entry(row, e, who, path, n) for n, (row, e, who) in numbered if e is not None]


def is_list(columns: Iterable[str]) -> bool:
    """Say whether a table's columns are those of a list."""
    return set(REQUIRED) <= {column_name(name) for name in columns}


def _rows(path: Path) -> Iterable[Row]:
    rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    for number, read in enumerate(rows, start=2):
        row = {column_name(name): value for name, value in read.items()}
        if row["path"] in (None, ""):
            raise DataError(f"{path}, row {number}: wanted a value in 'path', found none.")
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
    known = [column_name(name) for name in names]
    missing = [column for column in REQUIRED if column not in known]
    if missing:
        raise DataError(
            f"{path}: wanted the columns {','.join(REQUIRED)}[,{','.join(OPTIONAL)}],"
            f" found no {missing[0]!r} in {','.join(names)[:80] or 'an empty file'!r}."
        )
    repeated = next((c for c in (*REQUIRED, *OPTIONAL) if known.count(c) > 1), None)
    if repeated is not None:
        raise DataError(f"{path}: wanted one column {repeated!r}, found {known.count(repeated)}.")


def _entry(row: Row, expression: str, subject: str, path: Path, number: int) -> Entry:
    return Entry(
        id=str(row["path"]),
        file=_file(row, path, number),
        expression=expression,
        split=named_split(said(row.get("split")), f"{path}, row {number}"),
        subject=subject,
    )


def _file(row: Row, path: Path, number: int) -> TreeFile:
    picture = path.parent / str(row["path"])
    where = f"{path}, row {number}: {picture}"
    return TreeFile(PurePosixPath(str(row["path"])), where, picture)
