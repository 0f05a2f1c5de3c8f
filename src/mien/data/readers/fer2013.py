"""FER2013 as Kaggle ships it: `fer2013.csv`, plain or inside an archive, and what is made like it.

Goodfellow et al., "Challenges in Representation Learning", ICONIP 2013: 35,887 grey faces of
48x48 pixels in seven classes. Columns `emotion,pixels,Usage`. CK+ is given out in this form, too
(`ckextended.csv`), with contempt as an eighth class.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.data.archive import in_zip, is_archive, open_member
from mien.data.readers import READERS, Skip
from mien.data.readers.cells import said, said_class
from mien.data.readers.classes import Classes
from mien.data.readers.manifest import is_list
from mien.data.sample import Sample, Split
from mien.data.tables import column_name, csv_rows, separator
from mien.errors import DataError, unknown_name
from mien.labels import ClassNames, label_set

CSV_NAME = "fer2013.csv"
COLUMNS = ("emotion", "pixels")
USAGE = "usage"
SIDE = 48

CODES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""What the numbers 0 to 6 of the column `emotion` mean."""

ALL_CODES = (*CODES, "contempt")
"""The same with 7, which others than FER2013 have."""

USAGES: dict[str, Split] = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
"""The challenge's names of the three splits: PublicTest was the public leader board."""


@READERS.register("fer2013")
class Fer2013:
    """Reader of FER2013's CSV; ids are `fer2013-` and the row's number from 0."""

    labels = label_set("basic7")
    order = 0
    notes: tuple[str, ...] = ()

    def __init__(self, names: ClassNames) -> None:
        self._names = names.with_codes(ALL_CODES)

    def accepts(self, path: Path) -> bool:
        """Accept archives named "fer2013", zips that hold its CSV, and CSVs with its columns.

        A CSV without them that is named so is one of its kind, too; a list never is.
        """
        if not path.is_file():
            return False
        named = "fer2013" in path.name.lower()
        if path.suffix.lower() == ".csv":
            columns = _header(path)
            return not is_list(columns) and (named or set(COLUMNS) <= columns)
        return (named and is_archive(path)) or in_zip(path, CSV_NAME)

    def samples(self, path: Path, skip: Skip, *, progress: bool = False) -> Iterator[Sample]:
        """Read all rows, as a stream: images uint8 (48, 48).

        Raises:
            DataError: For a missing column, a wrong pixel count or value, an unknown emotion or
                Usage; names file and row (the header is row 1).
        """
        classes = Classes(self._names)
        with open_member(path, CSV_NAME, progress=progress) as file:
            for row in _rows(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), path):
                expression = classes.expression(self._class(row))
                if expression is not None:
                    yield Sample(row.id, _image(row.pixels, row.where), expression, _split(row))
        self.notes = classes.notes

    def _class(self, row: _Row) -> str:
        """Return the class name that a row's emotion is, a number without leading zeros.

        That of a face without a label is "".
        """
        text = said_class(row.emotion, self._names)
        name = str(int(text)) if text.isdecimal() else text
        if name and not self._names.knows(name):
            wanted = f"an emotion from 0 to {len(ALL_CODES) - 1}, or one that --name names"
            raise DataError(f"{row.where}: wanted {wanted}, found {row.emotion!r}.")
        return name


class _Row(NamedTuple):
    id: str
    where: str
    emotion: str
    pixels: str
    usage: str


def _header(path: Path) -> set[str]:
    """Return a CSV's columns; none if it cannot be read, which whoever reads it will say."""
    try:
        with csv_rows(path) as rows:
            return {column_name(name) for name in rows.fieldnames or ()}
    except DataError:
        return set()


def _rows(text: io.TextIOWrapper, path: Path) -> Iterator[_Row]:
    try:
        first = text.readline()
        reader = csv.reader(chain([first], text), delimiter=separator(first))
        places = _places(next(reader, []), path)
        for number, row in enumerate(reader):
            if not row:
                continue
            where = f"{path}, row {reader.line_num}"
            if len(row) <= max(places.values()):
                wanted = ",".join(places)
                raise DataError(f"{where}: wanted the columns {wanted}, found {len(row)} values.")
            emotion, pixels = (row[places[column]] for column in COLUMNS)
            usage = row[places[USAGE]] if USAGE in places else ""
            yield _Row(f"fer2013-{number:05d}", where, emotion, pixels, usage)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV text file: {error}.") from error


def _places(header: list[str], path: Path) -> dict[str, int]:
    """Return where in a row the columns stand; that of the split may be missing."""
    names = [column_name(name) for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise DataError(
            f"{path}: wanted the columns {','.join(COLUMNS)}[,Usage], found no {missing[0]!r} in"
            f" {','.join(names)[:80] or 'an empty file'!r}."
        )
    return {name: names.index(name) for name in (*COLUMNS, USAGE) if name in names}


def _image(text: str, where: str) -> NDArray[np.uint8]:
    try:
        with warnings.catch_warnings():
            # Older NumPy warns of what is not a number, and stops reading there.
            warnings.simplefilter("error", DeprecationWarning)
            # Three times as fast as splitting.
            values = np.fromstring(text, dtype=np.int64, sep=" ")
    except (ValueError, DeprecationWarning) as error:
        raise DataError(f"{where}: a pixel is not a whole number.") from error
    if len(values) != SIDE * SIDE:
        raise DataError(f"{where}: wanted {SIDE * SIDE} pixels, found {len(values)}.")
    if values.min() < 0 or values.max() > 255:
        wrong = values[(values < 0) | (values > 255)][0]
        raise DataError(f"{where}: wanted pixels from 0 to 255, found {wrong}.")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _split(row: _Row) -> Split:
    usage = said(row.usage)
    if usage and usage not in USAGES:
        raise DataError(f"{row.where}: {unknown_name('Usage', usage, USAGES)}")
    return USAGES[usage] if usage else ""
