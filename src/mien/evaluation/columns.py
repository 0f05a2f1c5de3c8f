"""The columns of a file of predictions by their names, however other programs write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mien.data.tables import column_name
from mien.errors import DataError
from mien.evaluation.predictions import MEASURES
from mien.labels import VOTES
from mien.signals import SIGNALS

Columns = Mapping[str, Sequence[Any]]
"""Cells by the column's name."""

TRUTH = ("truth", "target", "label")

OURS = (
    *("id", "split", "source", "subject", "leaked"),
    *TRUTH,
    *MEASURES,
    *SIGNALS,
    *(f"votes_{vote}" for vote in VOTES),
)
"""Columns that are found by name, in capitals or not, with spaces around or not."""


def named(columns: Columns, path: Path) -> Columns:
    """Return the columns with our own names in our spelling."""
    found: dict[str, Sequence[Any]] = {}
    for name, cells in columns.items():
        plain = column_name(name)
        known = plain if plain in OURS else name
        if known in found:
            raise DataError(f"{path} has two columns {known!r}.")
        found[known] = cells
    return found
