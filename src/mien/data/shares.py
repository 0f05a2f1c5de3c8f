"""How tables of other programs hold probabilities: names of columns, and rounding."""

from __future__ import annotations

from mien.errors import MienError
from mien.labels import parse_expression

ID = "id"
"""The column that names a face."""

PREFIXES = ("p_", "prob_", "probability_")

ROUNDING = 0.005 + 1e-9
"""How far each probability may be from what it was before it was written with two decimals."""


def expression_of(column: str) -> str | None:
    """Return the expression that a column such as `p_anger` is of; None of other columns."""
    name = column.strip().lower()
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    try:
        return parse_expression(name)
    except MienError:
        return None
