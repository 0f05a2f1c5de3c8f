"""The figure of `accuracy.py`: accuracy against cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from mien import figures
from mien.files import whole_file

TESTS = ("FER2013, 7 classes", "FER+ majority, 7 classes", "CK+48, 6 basic classes")
"""Those that every model can answer."""

COSTS = {"mmac": "MMAC a face", "faces_per_second": "faces a second, in batches of 64"}

MARKS = "os^Dv<>P"

APART = 1.15
"""Factor by which marks of the same cost stand apart."""


def draw(models: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the figure as PNG: a row for each cost, a column for each test.

    Args:
        models: As they stand in `accuracy.json`.
        path: The file.
    """
    with figures.style():
        figure = figures.new_figure(11, 6.6)
        panels = figure.subplots(len(COSTS), len(TESTS), sharex="row", sharey="col")
        for row, (cost, title) in zip(panels, COSTS.items()):
            for axes, test in zip(row, TESTS):
                _panel(axes, models, cost, test)
                axes.set_xlabel(title)
            row[0].set_ylabel("accuracy, 95 % interval")
        for axes, test in zip(panels[0], TESTS):
            axes.set_title(test)
        handles, names = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(models))
        content = figures.png(figure)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _panel(axes: Axes, models: Sequence[dict[str, Any]], cost: str, test: str) -> None:
    costs = [model[cost] for model in models]
    for number, model in enumerate(models):
        found = next(f for f in model["figures"] if (f["test"], f["subset"]) == (test, "all"))
        value, low, high = (found[key] for key in ("value", "low", "high"))
        axes.errorbar(
            model[cost] * APART ** costs[:number].count(model[cost]),
            value,
            [[value - low], [high - value]],
            fmt=MARKS[number % len(MARKS)],
            color=figures.CYCLE[number % len(figures.CYCLE)],
            label=model["name"],
        )
    axes.set_xscale("log")
    axes.set_xlim(min(costs) / 2, max(costs) * 2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    figures.light_grid(axes)
