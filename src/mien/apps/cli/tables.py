"""Readings as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from mien.inference.percent import percent
from mien.inference.sinks import Row

MOST_ROWS = 50
BLOCKS = " ▏▎▍▌▋▊▉█"
BAR_CELLS = 8


def readings_table(
    rows: Sequence[Row], expressions: Sequence[str], count: int | None = None
) -> Table:
    """Return a table of results, one line a face, with the runner-up beside the expression.

    Args:
        rows: From `mien.inference.sinks.rows`; those past 50 are left out and counted.
        expressions: The label set's expressions.
        count: How many rows there are, if more than are given.
    """
    left_out = (len(rows) if count is None else count) - MOST_ROWS
    caption = f"… and {left_out} more rows; --out FILE writes all" if left_out > 0 else None
    table = Table(caption=caption, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("Photo", overflow="fold")
    for column in ("Face", "Expression", "Probability", "Next", "x, y (width)"):
        table.add_column(column, no_wrap=True)
    shown = rows[:MOST_ROWS]
    names = _names([row["source"] for row in shown])
    for row, name in zip(shown, names):
        table.add_row(escape(name), *_cells(row, expressions))
    return table


def _names(sources: Sequence[str]) -> list[str]:
    """Return the file names, or whole paths where two photos share a name; each photo once."""
    distinct = set(sources)
    short = {source: PurePath(source).name for source in distinct}
    unique = len(set(short.values())) == len(distinct)
    names = [short[source] if unique else source for source in sources]
    return [name if i == 0 or name != names[i - 1] else "" for i, name in enumerate(names)]


def _cells(row: Row, expressions: Sequence[str]) -> list[str]:
    if row["status"] == "error":
        return ["", "[red]not readable[/red]", "", "", ""]
    if row["status"] == "no face":
        return ["", "[dim]no face[/dim]", "", "", ""]
    runner_up = sorted(expressions, key=lambda e: -row[e])[1]
    return [
        str(row["face"]),
        _answer(row),
        f"{_bar(row['confidence'])} {percent(row['confidence']):>4}",
        f"{runner_up} {percent(row[runner_up])}",
        f"{row['x']:.0f},{row['y']:.0f} ({row['width']:.0f})",
    ]


def _answer(row: Row) -> str:
    """Return the expression; in brackets behind the answer, where the model is not sure of it."""
    if row["answer"] == row["expression"]:
        return f"[bold]{row['expression']}[/bold]"
    return f"[dim]{row['answer']} ({row['expression']}?)[/dim]"


def _bar(share: float) -> str:
    eighths = round(share * BAR_CELLS * 8)
    full, rest = divmod(eighths, 8)
    bar = BLOCKS[8] * full + (BLOCKS[rest] if rest else "")
    return f"[cyan]{bar.ljust(BAR_CELLS)}[/cyan]"
