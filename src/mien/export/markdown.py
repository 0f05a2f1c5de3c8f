"""Tables and figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from mien.card import Figure


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; cells must hold no line break and no bar."""
    header = list(header)
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cell(figure: Figure) -> str:
    """Return a figure's value and its interval."""
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
