"""The confusion matrix: counts and shares of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien import figures, pages
from mien.evaluation.counts import Confusion, ratio
from mien.evaluation.judged import Judged
from mien.evaluation.metrics import confusion
from mien.evaluation.sections.section import Drawing, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PAIRS = 6


def matrix(judged: Judged) -> Section:
    """Return the section of the confusion matrix."""
    names = judged.faces.labels.expressions
    counts = confusion(judged.faces.truth, judged.faces.probabilities)
    return Section(
        name="confusion",
        title="Confusions",
        before=(pages.paragraph(_most(counts, names)),),
        drawings=(
            Drawing(
                "confusion",
                "Confusion matrix: counts, and shares of the rows",
                confusion_figure(counts, names),
            ),
        ),
        data={"expressions": list(names), "counts": counts.tolist()},
    )


def pairs(counts: Confusion) -> list[tuple[int, int, int]]:
    """Return the most common confusions: truth, decision and how many faces, most first."""
    off = counts.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:MOST_PAIRS]
    rows, columns = np.unravel_index(order, off.shape)
    found = zip(rows.tolist(), columns.tolist(), off[rows, columns].tolist())
    return [(row, column, count) for row, column, count in found if count]


def _most(counts: Confusion, names: tuple[str, ...]) -> str:
    found = [f"{names[r]} taken for {names[c]} ({n:,})" for r, c, n in pairs(counts)]
    return f"Most common: {', '.join(found)}." if found else "No face is mistaken for another."


def confusion_figure(
    counts: Confusion,
    names: tuple[str, ...],
    rows: str = "truth",
    columns: str = "decision",
    counted: str = "faces",
) -> Figure:
    """Return a drawing of counts (C, C) beside their shares of the rows.

    Args:
        counts: The counts.
        names: C names of the classes.
        rows: What the rows are.
        columns: What the columns are.
        counted: What is counted.
    """
    shares = ratio(counts, np.broadcast_to(counts.sum(1, keepdims=True), counts.shape))
    side = 1.9 + 0.52 * len(names)
    figure = figures.new_figure(2 * side, side)
    left, right = figure.subplots(1, 2)
    _cells(left, shares, [[f"{n:,}" for n in row] for row in counts], names)
    _cells(
        right, shares, [["–" if np.isnan(s) else f"{s:.2f}" for s in row] for row in shares], names
    )
    left.set_title(counted.capitalize())
    right.set_title("Share of the row")
    left.set_ylabel(rows)
    for axes in (left, right):
        axes.set_xlabel(columns)
    return figure


def _cells(
    axes: Axes, shares: NDArray[np.float64], texts: list[list[str]], names: tuple[str, ...]
) -> None:
    axes.imshow(np.nan_to_num(shares), cmap=figures.SEQUENTIAL, vmin=0, vmax=1)
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            dark = np.nan_to_num(shares[row, column]) > 0.55
            colour = "white" if dark else figures.INK
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
