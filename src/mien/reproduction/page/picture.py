"""All figures in one picture: the papers', ours under their protocol, and ours without leakage."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from mien import figures
from mien.files import whole_file
from mien.reproduction.findings import Findings, Summary
from mien.reproduction.page.markdown import OF
from mien.reproduction.rows import Row, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Panels = list[tuple[str, list[Row]]]
"""Each paper's source, and its rows that were measured."""

NAME = 34
"""Letters of an experiment's name on a line."""


class Look(NamedTuple):
    """How one kind of figure is drawn.

    Args:
        name: In the legend.
        mark: Matplotlib's.
        colour: Its colour.
        below: How far below the row's middle, of the rows' distance.
    """

    name: str
    mark: str
    colour: str
    below: float


PRINTED = Look("the paper", "x", figures.INK, -0.2)
MEASURED = Look("ours, the paper's protocol", "o", figures.BLUE, 0)
HONEST = Look("ours, honest", "D", figures.ORANGE, 0.2)

ALT = "Accuracy of each experiment: the paper's, ours under its protocol, ours under the honest one"

DRAWN = "mien-figures"
"""Key of the PNG's text that holds the fingerprint of what is drawn."""


def panels(findings: Findings) -> Panels:
    """Return what there is to draw; papers of which nothing was measured are left out."""
    found = (
        (plan.source, [row for row in rows_of(findings, paper) if row.measured or row.honest])
        for paper, plan in findings.plans.items()
    )
    return [(source, rows) for source, rows in found if rows]


def beside(page: Path) -> Path:
    """Return the file of a page's picture."""
    return page.with_suffix(".png")


def picture(findings: Findings, page: Path) -> str:
    """Return the picture's place on the page; "" if there is nothing to draw."""
    return f"![{ALT}]({beside(page).name})" if panels(findings) else ""


def fingerprint(drawn: Panels) -> str:
    """Return the SHA-256 of what is drawn, to four digits, as hexadecimal."""
    rows = [
        [source, name, *_values(row)]
        for source, found in drawn
        for name, row in zip(_names(found), found)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def draw(drawn: Panels, path: Path) -> None:
    """Write the picture as PNG: a panel for each paper, a line for each row of its table."""
    counts = [len(rows) for _, rows in drawn]
    with figures.style():
        figure = figures.new_figure(8, 1.2 + 0.32 * sum(counts) + 0.4 * len(counts))
        every = figure.subplots(
            len(counts), 1, sharex=True, squeeze=False, height_ratios=[n + 0.5 for n in counts]
        )[:, 0]
        for axes, (source, rows) in zip(every, drawn):
            _panel(axes, rows)
            axes.set_title(source, loc="left")
        every[-1].set_xlabel("accuracy, 95 % interval")
        marks, names = every[0].get_legend_handles_labels()
        figure.legend(marks, names, loc="outside lower center", ncols=len(names))
        content = figures.png(figure, {DRAWN: fingerprint(drawn)})
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _panel(axes: Axes, rows: Sequence[Row]) -> None:
    _marks(axes, [_lone(row.reported) for row in rows], PRINTED)
    _marks(axes, [row.measured for row in rows], MEASURED)
    _marks(axes, [row.honest for row in rows], HONEST)
    axes.set_yticks(range(len(rows)), [fill(name, NAME) for name in _names(rows)])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1.02)
    figures.light_grid(axes)


def _lone(value: float | None) -> Summary | None:
    """Return a printed figure, which has no interval."""
    return None if value is None else Summary(value, value, value, seeds=1, faces=0)


def _marks(axes: Axes, found: Sequence[Summary | None], look: Look) -> None:
    """Draw one kind of figure, where there is one; the legend names it anyway."""
    there = [(place + look.below, one) for place, one in enumerate(found) if one is not None]
    axes.errorbar(
        [one.value for _, one in there],
        [place for place, _ in there],
        xerr=[
            [one.value - one.low for _, one in there],
            [one.high - one.value for _, one in there],
        ],
        fmt=look.mark,
        color=look.colour,
        markersize=4,
        label=look.name,
    )


def _names(rows: Sequence[Row]) -> list[str]:
    """Name rows; those of an experiment that has several, with their split."""
    times = Counter(row.experiment.name for row in rows)
    return [
        row.experiment.title + (f", {OF[row.split]}" if times[row.experiment.name] > 1 else "")
        for row in rows
    ]


def _values(row: Row) -> list[float | None]:
    """Return what is drawn of a row, to four digits."""
    values = [row.reported]
    for one in (row.measured, row.honest):
        values += [None] * 3 if one is None else [one.value, one.low, one.high]
    return [None if value is None else round(value, 4) for value in values]
