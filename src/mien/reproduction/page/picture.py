"""The experiments' accuracies in one picture: the papers', ours their way, ours without leakage."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from math import nan
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from mien import figures
from mien.evaluation.seeds.summary import Summary
from mien.files import whole_file
from mien.reproduction.findings import Findings
from mien.reproduction.page.markdown import OF
from mien.reproduction.rows import Row, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Panels = list[tuple[str, list[Row]]]
"""Each paper's source, and its rows that were measured."""

NAME = 44
"""Letters of an experiment's name on a line."""


class Look(NamedTuple):
    """How one kind of figure is drawn.

    Args:
        name: In the legend.
        mark: Matplotlib's.
        colour: Its colour.
        below: How far below the row's middle, as a share of the rows' distance; above, if negative.
    """

    name: str
    mark: str
    colour: str
    below: float


CAPTION = """\
Crosses and blue marks are of the test unless the row says otherwise; orange marks are always of the
test, or of all folds. Where an experiment departs from the paper on purpose, the paper's figure is
left out."""

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
    """Return the picture's place on the page, with its caption; "" if there is nothing to draw."""
    if not panels(findings):
        return ""
    return f"![{ALT}](<{beside(page).name}>)\n\n{CAPTION}"


def fingerprint(drawn: Panels) -> str:
    """Return the hexadecimal SHA-256 of what is drawn; figures count to four digits."""
    rows = [
        [source, name, *_values(row, found)]
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
    _crosses(axes, [_printed(row) for row in rows])
    _marks(axes, [row.measured for row in rows], MEASURED)
    _marks(axes, [_honest(row, rows) for row in rows], HONEST)
    axes.set_yticks(range(len(rows)), [fill(name, NAME) for name in _names(rows)])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1.02)
    figures.light_grid(axes)


def _printed(row: Row) -> float | None:
    """Return the paper's figure; None where ours is of something else on purpose."""
    return None if row.experiment.altered else row.reported.value


def _honest(row: Row, rows: Sequence[Row]) -> Summary | None:
    """Return our honest figure, which is of the test; where there are rows of both, not of val."""
    if row.split == "val" and any(
        other.experiment == row.experiment and other.split == "test" for other in rows
    ):
        return None
    return row.honest


def _crosses(axes: Axes, found: Sequence[float | None]) -> None:
    """Draw the papers' figures, which have no intervals; the legend names them anyway."""
    values = [nan if value is None else value for value in found]
    places = [place + PRINTED.below for place in range(len(found))]
    axes.plot(values, places, PRINTED.mark, color=PRINTED.colour, markersize=4, label=PRINTED.name)


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
    """Name rows; with what they are of, unless it is the test alone."""
    times = Counter(row.experiment.name for row in rows)
    return [
        row.experiment.title
        + (f", {OF[row.split]}" if row.split == "val" or times[row.experiment.name] > 1 else "")
        for row in rows
    ]


def _values(row: Row, rows: Sequence[Row]) -> list[float | None]:
    """Return what is drawn of a row, to four digits."""
    values = [_printed(row)]
    for one in (row.measured, _honest(row, rows)):
        values += [None] * 3 if one is None else [one.value, one.low, one.high]
    return [None if value is None else round(value, 4) for value in values]
