"""What a section is made of, and how figures are written in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mien.evaluation.judged import Judged

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNDEFINED = "undefined"


@dataclass(frozen=True)
class Drawing:
    """A figure of a section.

    Args:
        name: Its files' name.
        alt: What it shows, in words.
        figure: The figure.
    """

    name: str
    alt: str
    figure: Figure


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Args:
        name: Its key in the JSON.
        title: Its heading.
        before: HTML before the figures.
        drawings: Figures.
        after: HTML after the figures.
        data: The same as JSON types; what is undefined is None.
    """

    name: str
    title: str
    before: tuple[str, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    after: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


Make = Callable[[Judged], Section | None]
"""Makes a section; None where there is nothing to say."""


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
