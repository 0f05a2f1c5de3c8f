"""What a section is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mien.evaluation.judged import Judged

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
