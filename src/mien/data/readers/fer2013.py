"""FER2013 as Kaggle ships it: `fer2013.csv`, plain or inside an archive.

Goodfellow et al., "Challenges in Representation Learning", ICONIP 2013: 35,887 grey faces of
48x48 pixels in seven classes. Columns `emotion,pixels,Usage`.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data.archive import in_zip, is_archive, open_member
from mien.data.readers import READERS, Skip
from mien.data.sample import Sample, Split
from mien.errors import DataError, unknown_name
from mien.labels import ClassNames, label_set

CSV_NAME = "fer2013.csv"
COLUMNS = ("emotion", "pixels", "Usage")
SIDE = 48

CODES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""What the numbers 0 to 6 of the column `emotion` mean."""

USAGES: dict[str, Split] = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
"""The challenge's names of the three splits: PublicTest was the public leader board."""


@READERS.register("fer2013")
class Fer2013:
    """Reader of FER2013's CSV; ids are `fer2013-` and the row's number from 0."""

    labels = label_set("basic7")
    order = 0

    def __init__(self, names: ClassNames) -> None:
        pass  # the file has numbers, whose meaning is fixed

    def accepts(self, path: Path) -> bool:
        """Accept archives named "fer2013", zips that hold its CSV, and CSVs named so or like it."""
        if not path.is_file():
            return False
        named = "fer2013" in path.name.lower()
        if path.suffix.lower() == ".csv":
            return named or _has_columns(path)
        return (named and is_archive(path)) or in_zip(path, CSV_NAME)

    def samples(self, path: Path, skip: Skip, *, progress: bool = False) -> Iterator[Sample]:
        """Read all rows, as a stream: images uint8 (48, 48), label set `basic7`.

        Raises:
            DataError: For a missing column, a wrong pixel count or value, an unknown emotion or
                Usage; names file and row (the header is row 1).
        """
        with open_member(path, CSV_NAME, progress=progress) as file:
            yield from _rows(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), path)


def _has_columns(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.readline(200).decode("utf-8-sig", "replace")
        names = next(csv.reader([header]), [])
    except (OSError, csv.Error):
        return False
    return {"emotion", "pixels"} <= {name.strip() for name in names}


def _rows(text: io.TextIOWrapper, path: Path) -> Iterator[Sample]:
    try:
        reader = csv.reader(text)
        emotion, pixels, usage = _columns(next(reader, []), path)
        for number, row in enumerate(reader):
            if not row:
                continue
            where = f"{path}, row {reader.line_num}"
            if len(row) <= max(emotion, pixels, usage):
                raise DataError(f"{where}: wanted the columns {_names()}, found {len(row)} values.")
            yield Sample(
                id=f"fer2013-{number:05d}",
                image=_image(row[pixels], where),
                expression=_expression(row[emotion], where),
                split=_split(row[usage], where),
            )
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV text file: {error}.") from error


def _columns(header: list[str], path: Path) -> tuple[int, int, int]:
    names = [name.strip() for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise DataError(
            f"{path}: wanted the columns {_names()}, found no {missing[0]!r} in"
            f" {','.join(names)[:80] or 'an empty file'!r}."
        )
    return names.index(COLUMNS[0]), names.index(COLUMNS[1]), names.index(COLUMNS[2])


def _names() -> str:
    return ",".join(COLUMNS)


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


def _expression(text: str, where: str) -> str:
    code = text.strip()
    if not code.isdecimal() or int(code) >= len(CODES):
        raise DataError(f"{where}: wanted an emotion from 0 to {len(CODES) - 1}, found {text!r}.")
    return CODES[int(code)]


def _split(text: str, where: str) -> Split:
    usage = text.strip()
    if usage not in USAGES:
        raise DataError(f"{where}: {unknown_name('Usage', usage, USAGES)}")
    return USAGES[usage]
