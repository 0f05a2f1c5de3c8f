"""How figures are written: as text, with their intervals, and in JSON."""

from __future__ import annotations

import math

UNDEFINED = "undefined"
"""What a figure is called that is not a number."""


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure as text; what is not a number, None in JSON, is called undefined."""
    return UNDEFINED if value is None or math.isnan(value) else f"{value:.{digits}f}"


def within(value: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """Return a figure with its interval as text."""
    if UNDEFINED in (number(value), number(low)):
        return number(value, digits)
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


def p_value(p: float, sign: str = "") -> str:
    """Return the p of a test as text; the sign stands before what is not too small to be told."""
    return f"{sign}{p:.3f}" if p >= 0.001 else "< 0.001"


def known(value: float) -> float | None:
    """Return a figure for JSON: None if it is not a number."""
    return float(value) if math.isfinite(value) else None
