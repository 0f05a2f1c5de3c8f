"""Reading CSV files with errors that name them, and what a table's columns are called."""

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

_QUOTED = re.compile(r'"[^"]*"')

_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")


class _Rows(csv.DictReader):  # type: ignore[type-arg]  # no subscript before Python 3.12
    """Rows that must have as many cells as the first line.

    With a separator too many the values would belong to other columns, with one too few some are
    lost.
    """

    path: Path

    def __next__(self) -> dict[str | Any, Any]:
        row = super().__next__()
        if None in row or None in row.values():
            raise DataError(
                f"{self.path}, line {self.line_num}: must have {len(self.fieldnames or ())} cells,"
                " as the first line has."
            )
        return row


@contextmanager
def csv_rows(path: Path) -> Iterator[csv.DictReader[str]]:
    """Open a CSV file in UTF-8, with or without a byte order mark; its rows are dicts by column.

    Columns stand apart by the one of `SEPARATORS` that the first line has most of outside quotes.

    Raises:
        DataError: If it cannot be opened, is not CSV text, or a row has more or fewer cells than
            the first line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            rows = _Rows(chain([first], file), delimiter=separator(first))
            rows.path = path
            yield rows
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV text file: {error}.") from error


def column_name(name: str) -> str:
    """Return a column's name as it is understood: `Subject` is no other column than `subject`."""
    return name.strip().lower()


def decimal(cell: Any) -> float:
    """Return a cell's number; text may have a decimal comma, as beside semicolons and tabs.

    Raises:
        ValueError: If the text is none.
        TypeError: If the cell is neither text nor a number.
    """
    return float(_DECIMAL_COMMA.sub(".", cell, count=1) if isinstance(cell, str) else cell)


def separator(line: str) -> str:
    """Return the one of `SEPARATORS` that a table's first line has most of outside quotes."""
    return max(SEPARATORS, key=_QUOTED.sub("", line).count)
