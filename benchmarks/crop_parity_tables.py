"""The tables that `crop_parity.py` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from crop_parity_choice import ALIGNS, SCALES, SHIFTS, Choice
from crop_parity_faces import Setting
from crop_parity_measures import SHIPPED, Row
from rich.table import Table

from mien.evaluation.paired import Difference


def choice_tables(choices: Mapping[str, Choice]) -> Iterator[Table]:
    """Give what was chosen on PublicTest, and the figures it was chosen by."""
    yield _chosen(choices)
    for name, choice in choices.items():
        yield _grid(name, choice)
        if name in ALIGNS:
            yield _levels(name, choice)


def _chosen(choices: Mapping[str, Choice]) -> Table:
    columns = ("detector", "shipped", "best", "gain in points", "rotation")
    table = Table(*columns, title="Chosen on PublicTest (scale, shift)")
    for name, choice in choices.items():
        shipped, best = SHIPPED[name], choice.framing
        rotated = "never" if choice.level is None else f"beyond {choice.level:.0f}°"
        table.add_row(
            name,
            f"{shipped.scale:.3f}, {shipped.shift:+.3f}",
            f"{best.scale:.3f}, {best.shift:+.3f}",
            points(choice.gain),
            rotated if name in ALIGNS else "eyes not known",
        )
    return table


def _grid(name: str, choice: Choice) -> Table:
    title = f"{name}, PublicTest: points less than the own crops' {choice.own:.3f}"
    table = Table("scale", *(f"shift {shift:+.2f}" for shift in SHIFTS), title=title)
    for scale, figures in zip(SCALES, choice.grid, strict=True):
        table.add_row(f"{scale:.2f} ×", *(f"{100 * figure.value:+.1f}" for figure in figures))
    return table


def _levels(name: str, choice: Choice) -> Table:
    title = f"{name}, PublicTest: points less than own crops, shipped framing"
    table = Table("rotated to level eyes", *choice.levels, title=title)
    for level in next(iter(choice.levels.values())):
        table.add_row(level, *(points(figures[level]) for figures in choice.levels.values()))
    return table


def row_table(rows: Sequence[Row]) -> Table:
    """Return the figures of the shipped and the chosen ways."""
    measured = ("found", "own", "through", "less own", "less shipped", "same")
    columns = ("faces", "detector", "size", "cut", *measured)
    table = Table(*columns, title="Accuracy of own crops, and through a detector")
    for row in rows:
        size = Setting(row.side, row.tilt).name
        table.add_row(
            row.faces,
            row.detector,
            size,
            row.cut,
            f"{row.found / row.of:.1%} of {row.of}",
            f"{row.own:.3f}",
            f"{row.accuracy:.3f}",
            points(row.difference),
            "" if row.cut == "shipped" else points(row.gain),
            f"{row.same:.1%}",
        )
    return table


def points(difference: Difference) -> str:
    """Return a difference of shares in points, with its interval."""
    value, low, high = (100 * v for v in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"
