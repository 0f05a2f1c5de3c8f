"""Reading CSV files with errors that name them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from mien.errors import DataError

SEPARATORS = ",;\t"
"""What may stand between columns: spreadsheets save one of these, by the system's language."""

_DECIMAL_COMMA = re.compile(r"\s*([+-]?\d+),(\d+(?:[eE][+-]?\d+)?)\s*")


class _Rows(csv.DictReader):  # type: ignore[type-arg]  # no subscript before Python 3.12
    """Rows that must have as many cells as the first line.

    With a separator too many the values would belong to other columns, with one too few some are
    lost.
    """

    path: Path
    decimal_commas: bool

    def __next__(self) -> dict[str | Any, Any]:
        row = super().__next__()
        if None in row or None in row.values():
            raise DataError(
                f"{self.path}, line {self.line_num}: must have {len(self.fieldnames or ())} cells,"
                " as the first line has."
            )
        if not self.decimal_commas:
            return row
        return {name: _with_point(cell) for name, cell in row.items()}


@contextmanager
def csv_rows(path: Path) -> Iterator[csv.DictReader[str]]:
    """Open a CSV file in UTF-8, with or without a byte order mark; its rows are dicts by column.

    Columns stand apart by the one of `SEPARATORS` that the first line has most of. Where that is
    no comma, numbers may have decimal commas; they are given with a point.

    Raises:
        DataError: If it cannot be opened, is not CSV text, or a row has more or fewer cells than
            the first line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            separator = max(SEPARATORS, key=first.count)
            rows = _Rows(chain([first], file), delimiter=separator)
            rows.path, rows.decimal_commas = path, separator != ","
            yield rows
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV text file: {error}.") from error


def _with_point(cell: str) -> str:
    number = _DECIMAL_COMMA.fullmatch(cell)
    return cell if number is None else ".".join(number.groups())
