"""Reading CSV files with errors that name them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mien.errors import DataError


class _Rows(csv.DictReader):  # type: ignore[type-arg]  # no subscript before Python 3.12
    """Rows that must have as many cells as the first line.

    With a comma too many the values would belong to other columns, with one too few some are lost.
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

    Raises:
        DataError: If it cannot be opened, is not CSV text, has semicolons for commas, or a row has
            more or fewer cells than the first line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _Rows(file)
            rows.path = path
            _check_commas(path, rows.fieldnames or ())
            yield rows
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV text file: {error}.") from error


def _check_commas(path: Path, names: Sequence[str]) -> None:
    """Check the first line; numbers of a file with semicolons may have decimal commas, too."""
    if len(names) == 1 and ";" in names[0]:
        raise DataError(f"{path}: wanted commas between the columns, found semicolons.")
