"""How tables of other programs hold probabilities: names of columns, and rounding."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mien.data.tables import column_name
from mien.errors import DataError, MienError
from mien.labels import parse_expression

ID = "id"
"""The column that names a face."""

PREFIXES = ("p_", "prob_", "probability_")

ROUNDING = 0.005 + 1e-9
"""How far each probability may be from what it was before it was written with two decimals."""


def expression_of(column: str) -> str | None:
    """Return the expression that a column such as `p_anger` is of; None of other columns."""
    name = column_name(column)
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    try:
        return parse_expression(name)
    except MienError:
        return None


def columns_of(names: Iterable[str], path: Path) -> dict[str, str]:
    """Return the column of each expression that some columns hold.

    Args:
        names: The table's columns.
        path: The table, for the error.

    Raises:
        DataError: If two are of one expression.
    """
    found: dict[str, str] = {}
    for column in names:
        expression = expression_of(column)
        if expression is not None and expression in found:
            raise DataError(
                f"{path} has two columns for {expression}: {found[expression]!r} and {column!r}."
            )
        if expression is not None:
            found[expression] = column
    return found
