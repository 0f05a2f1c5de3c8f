"""Pieces of a Markdown page."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mien.evaluation.seeds.summary import Summary
from mien.export import markdown

OF = {"val": "validation", "test": "test", "folds": "folds"}
"""What readers call the splits."""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; an empty cell is a dash."""
    head, *body = [[cell or "–" for cell in line] for line in (header, *rows)]
    return markdown.table(head, body)


def section(title: str, *parts: str, level: int = 2) -> str:
    """Return a section; parts that are empty are left out."""
    return "\n".join([f"{'#' * level} {title}\n", *(f"{part.strip()}\n" for part in parts if part)])


def summarised(summary: Summary | None) -> str:
    """Return a mean with its interval and, of several, the number of seeds."""
    if summary is None:
        return ""
    seeds = f", {summary.seeds} seeds" if summary.seeds > 1 else ""
    return f"{summary.value:.3f} [{summary.low:.3f}, {summary.high:.3f}]{seeds}"


def points(value: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}"


def duration(seconds: float) -> str:
    """Return a time as hours or minutes."""
    return (
        f"{seconds / 3600:.1f} h"
        if seconds >= 5400
        else f"{seconds / 60:.{0 if seconds >= 600 else 1}f} min"
    )


def link(text: str, target: Path, page: Path) -> str:
    """Return a link from the page to a file."""
    path = os.path.relpath(target, page.parent)
    return f"[{text}]({Path(path).as_posix()})"
