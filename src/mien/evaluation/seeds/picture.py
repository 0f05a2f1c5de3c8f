"""A recipe's seeds as a figure: a dot a seed, the mean, and its two intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mien import figures
from mien.evaluation.seeds.figures import HeadOverSeeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = {
    "share": ("accuracy", "balanced_accuracy", "macro_f1"),
    "nats, less is better": ("nll",),
    "share, less is better": ("ece",),
}
"""Figures that stand on one axis, by what it says."""

SHORT = {"nll": "NLL", "ece": "calibration error", "macro_f1": "macro F1"}

SPREAD = 0.22
"""How far from the line of the mean the first and the last seed are drawn, in rows."""


def draw_seeds(head: HeadOverSeeds) -> Figure:
    """Draw each figure of all judged faces that every seed has."""
    measured = head.measured()
    found = {what: [m for m in names if m in measured] for what, names in PANELS.items()}
    panels = {what: names for what, names in found.items() if names}
    heights = [len(names) + 0.5 for names in panels.values()]
    figure = figures.new_figure(6.6, 1.0 + 0.62 * sum(heights))
    rows = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (what, names) in zip(rows, panels.items()):
        for place, metric in enumerate(names):
            _draw(axes, place, metric, head)
        _tidy(axes, what, names)
    title = f"{head.name}, {head.split}: {len(head.seeds)} seeds"
    handles, labels = rows[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, title=title)
    return figure


def _draw(axes: Axes, place: int, metric: str, head: HeadOverSeeds) -> None:
    over = head.measured()[metric]
    wide, first = over.with_faces, place == 0
    if wide is not None:
        axes.plot(
            [wide.low, wide.high],
            [place, place],
            color=figures.BLUE,
            alpha=0.35,
            linewidth=6,
            solid_capstyle="butt",
            label="95 % with faces" if first else None,
        )
    label = "95 % over seeds" if first else None
    axes.plot([over.low, over.high], [place, place], color=figures.BLUE, linewidth=2, label=label)
    axes.plot(over.mean, place, "D", color=figures.BLUE, label="mean" if first else None)
    values = [seed.figures["all"][metric].value for seed in head.seeds]
    heights = place + np.linspace(-SPREAD, SPREAD, len(values))
    axes.plot(
        values,
        heights,
        "o",
        color=figures.ORANGE,
        markersize=4.5,
        markeredgecolor="white",
        markeredgewidth=0.5,
        label="a seed" if first else None,
    )


def _tidy(axes: Axes, what: str, names: Sequence[str]) -> None:
    texts = [SHORT.get(name, name.replace("_", " ")) for name in names]
    axes.set_yticks(range(len(names)), texts)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(what)
    figures.light_grid(axes)
