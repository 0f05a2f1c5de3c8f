"""A Parquet file with pictures in it: which columns say what, and what they say of each row.

A picture is what Hugging Face's `datasets` calls an Image, a struct `{bytes, path}`, or plain
bytes; a label is a name, or a number that the file's own features name (ClassLabel).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.data.hub import split_of
from mien.data.parquet import RowPicture, parquet_file
from mien.data.readers.cells import said
from mien.data.readers.manifest import is_list
from mien.data.sample import Split
from mien.data.split_names import named_split
from mien.data.tables import column_name
from mien.data.tree import TreeFile
from mien.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

PICTURES = ("image", "img", "picture", "img_bytes")
LABELS = ("label", "labels", "emotion", "expression", "class")
"""What the columns are called, the first that is there."""

BINARY = ("binary", "large_binary", "binary_view")
"""Arrow's types of bytes; the oldest pyarrow that is supported has no function for the last."""

NO_LABEL = -1
"""The number of a face without a label in `datasets`, as tests are given out."""


def holds_pictures(path: Path) -> bool:
    """Say whether a file is Parquet with pictures in it, and not a list that has bytes beside."""
    try:
        with parquet_file(path) as file:
            schema = file.schema_arrow
            images = any(_is_image(field.type) for field in schema)
            return images or bool(_picture_columns(schema) and not is_list(schema.names))
    except (DataError, MissingExtraError):  # who reads it will say so
        return False


@dataclass(frozen=True)
class PictureTable:
    """A Parquet file whose small columns are read.

    Args:
        file: The file.
        column: Its column with pictures.
        groups: How many rows each of its row groups has.
        labels: What each row's label is called, "" for none.
        splits: Each row's split.
        subjects: What each row says of who is shown.
    """

    file: TreeFile
    column: str
    groups: Sequence[int]
    labels: Sequence[str]
    splits: Sequence[Split]
    subjects: Sequence[Any]

    @classmethod
    def of(cls, file: TreeFile) -> PictureTable:
        """Read what a file says of its pictures.

        Raises:
            DataError: If it is not Parquet or lacks a column; names the file.
        """
        with parquet_file(file.place) as parquet:
            return cls._read(file, parquet, parquet.schema_arrow, parquet.metadata)

    @classmethod
    def _read(cls, file: TreeFile, parquet: Any, schema: pa.Schema, metadata: Any) -> PictureTable:
        pictures = _one_of(_picture_columns(schema), PICTURES, "pictures", file, schema)
        label = _one_of(_called(schema, LABELS), LABELS, "labels", file, schema)
        split, subject = (_optional(name, file, schema) for name in ("split", "subject"))
        wanted = [name for name in (label, split, subject) if name]
        columns = parquet.read(columns=wanted).to_pydict()
        rows = metadata.num_rows
        return cls(
            file=file,
            column=pictures,
            groups=[metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)],
            labels=_named(columns[label], _class_names(schema, label), file),
            splits=_splits(columns.get(split), _class_names(schema, split), file, rows),
            subjects=columns.get(subject, [None] * rows),
        )

    def rows(self) -> Iterator[tuple[RowPicture, str, Split]]:
        """Give each picture, its label and its split."""
        places = ((group, row) for group, rows in enumerate(self.groups) for row in range(rows))
        columns = zip(places, self.labels, self.splits)
        for number, (place, label, split) in enumerate(columns):
            yield self._picture(number, *place), label, split

    def _picture(self, number: int, group: int, row: int) -> RowPicture:
        path = self.file.path.with_suffix("") / f"{number:05d}"
        where = f"{self.file.where}, row {number}"
        return RowPicture(path, where, self.file.place, None, self.column, group, row)


def _picture_columns(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if _holds_pictures(schema, field)]


def _holds_pictures(schema: pa.Schema, field: pa.Field) -> bool:
    """Say whether a column holds pictures; bytes may be anything, and their name must say so."""
    if _is_image(field.type):
        return True
    named = column_name(field.name) in PICTURES or _feature(schema, field.name, "_type") == "Image"
    return named and _is_binary(field.type)


def _is_image(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if not pa.types.is_struct(kind):
        return False
    return any(field.name == "bytes" and _is_binary(field.type) for field in kind)


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    stored = kind.value_type if pa.types.is_dictionary(kind) else kind
    return str(stored) in BINARY


def _one_of(
    found: Sequence[str], names: Sequence[str], what: str, file: TreeFile, schema: pa.Schema
) -> str:
    """Return the column that is called as usual, or the only one."""
    usual = [name for wanted in names for name in found if column_name(name) == wanted]
    if usual or len(found) == 1:
        return _alone((usual or list(found))[0], found, file)
    raise DataError(
        f"{file.where}: wanted a column of {what} ({', '.join(names)}),"
        f" found {', '.join(schema.names)[:80] or 'none'}."
    )


def _optional(name: str, file: TreeFile, schema: pa.Schema) -> str:
    """Return the column that is called so, "" if there is none."""
    found = _called(schema, (name,))
    return _alone(found[0], found, file) if found else ""


def _called(schema: pa.Schema, names: Sequence[str]) -> list[str]:
    return [name for name in schema.names if column_name(name) in names]


def _alone(column: str, found: Sequence[str], file: TreeFile) -> str:
    """Return a column's name; no other that was found may be called so but for case and blanks."""
    wanted = column_name(column)
    same = sum(column_name(name) == wanted for name in found)
    if same > 1:
        raise DataError(f"{file.where}: wanted one column {wanted!r}, found {same}.")
    return column


def _class_names(schema: pa.Schema, column: str) -> list[str]:
    """Return the names of a label's numbers, as `datasets` writes them; none if it did not."""
    names = _feature(schema, column, "names")
    return [str(name) for name in names] if isinstance(names, list) else []


def _feature(schema: pa.Schema, column: str, key: str) -> Any:
    """Return what `datasets` wrote of a column into the file; None if it did not."""
    try:
        return json.loads(schema.metadata[b"huggingface"])["info"]["features"][column][key]
    except (KeyError, TypeError, ValueError):
        return None


def _named(values: Sequence[Any], names: Sequence[str], file: TreeFile) -> list[str]:
    return [_name(value, names, f"{file.where}, row {n}") for n, value in enumerate(values)]


def _name(value: Any, names: Sequence[str], where: str) -> str:
    if value is None or value == NO_LABEL:
        return ""
    if not names or not isinstance(value, int):
        return str(value).strip()
    if not 0 <= value < len(names):
        raise DataError(f"{where}: wanted a label from 0 to {len(names) - 1}, found {value}.")
    return names[value]


def _splits(
    values: Sequence[Any] | None, names: Sequence[str], file: TreeFile, rows: int
) -> list[Split]:
    if values is None:
        return [split_of(file.path)] * rows
    named = enumerate(_named(values, names, file))
    return [named_split(said(name), f"{file.where}, row {n}") for n, name in named]
