"""The pictures of a search: history, importance, parallel coordinates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mien.training.tuning.bar import shown
from mien.training.tuning.dimension import Choices, Dimension
from mien.training.tuning.records import Record
from mien.training.tuning.space import Space

GREY = "#9a9a9a"

MOST_LETTERS = 22
"""Longer names of choices are cut in pictures."""


def history_plot(done: Sequence[Record], select: str, *, smallest: bool) -> Figure:
    """Draw each trial's figure and the best so far."""
    figure = Figure(figsize=(9, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    for state, marker, colour in (("complete", "o", "#2a6fbb"), ("pruned", "x", GREY)):
        points = [r for r in done if r.state == state and r.value is not None]
        if not points:
            continue
        axes.plot(
            [r.number for r in points],
            [r.value or 0.0 for r in points],
            marker,
            color=colour,
            label=f"{state} ({len(points)})",
        )
    complete = [r for r in done if r.state == "complete" and r.value is not None]
    best = (np.minimum if smallest else np.maximum).accumulate([r.value or 0 for r in complete])
    axes.step(
        [r.number for r in complete], best, where="post", color="#c2541b", label="best so far"
    )
    axes.set(xlabel="trial", ylabel=select.replace("_", " "))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    _tidy(axes)
    return figure


def importance_plot(shares: Mapping[str, float]) -> Figure:
    """Draw the share of variance that each key explains."""
    figure = Figure(figsize=(9, 1.2 + 0.4 * len(shares)), dpi=120, layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(shares)[::-1], list(shares.values())[::-1], color="#2a6fbb", height=0.6)
    axes.bar_label(bars, fmt="{:.0%}", padding=3)
    axes.set(xlabel="share of the variance it explains", xlim=(0, 1.08))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def parallel_plot(done: Sequence[Record], space: Space, select: str, *, smallest: bool) -> Figure:
    """Draw each complete trial as a line through its values, coloured by its figure."""
    complete = [r for r in done if r.state == "complete" and r.value is not None]
    sign = -1 if smallest else 1
    complete.sort(key=lambda r: (sign * (r.value or 0.0), -r.number))  # the best is drawn last
    figure = Figure(figsize=(max(7.0, 2.3 * len(space) + 1.5), 4.6), dpi=120, layout="constrained")
    axes = figure.subplots()
    values = np.array([r.value for r in complete], dtype=float)
    colours = Normalize(values.min(), values.max())
    palette = colormaps["viridis_r" if smallest else "viridis"]
    rows = np.stack([_places(d, [r.values[key] for r in complete]) for key, d in space.items()], 1)
    for number, (row, value) in enumerate(zip(rows, values)):
        best = number == len(rows) - 1
        axes.plot(row, color=palette(colours(value)), linewidth=3.2 if best else 1.2)
    for place, (key, dimension) in enumerate(space.items()):
        _scale(axes, place, dimension, [r.values[key] for r in complete])
    _frame(axes, list(space))
    figure.colorbar(ScalarMappable(colours, palette), ax=axes, label=select.replace("_", " "))
    return figure


def _places(dimension: Dimension, values: Sequence[Any]) -> NDArray[np.float64]:
    """Return where values stand on their axis, 0 to 1."""
    if isinstance(dimension, Choices):
        names = [dimension.stored(v) for v in dimension.choices]
        return np.array([names.index(dimension.stored(v)) for v in values]) / max(1, len(names) - 1)
    scale = np.log if dimension.log else np.asarray
    low, high = scale(dimension.low), scale(dimension.high)
    return np.asarray((scale(np.array(values, dtype=float)) - low) / (high - low))


def _scale(axes: Axes, place: int, dimension: Dimension, values: Sequence[Any]) -> None:
    axes.axvline(place, color="black", linewidth=0.8, zorder=0)
    for value, height in zip(_ticks(dimension), _places(dimension, _ticks(dimension))):
        text = shown(value) if isinstance(value, (int, float)) else _name(value)
        axes.annotate(
            text,
            (place, float(height)),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=8,
            va="center",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
        )


def _ticks(dimension: Dimension) -> Sequence[Any]:
    if isinstance(dimension, Choices):
        return dimension.choices
    if dimension.log:
        return [float(v) for v in np.geomspace(dimension.low, dimension.high, 4)]
    return [float(v) for v in np.linspace(dimension.low, dimension.high, 5)]


def _name(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def _frame(axes: Axes, keys: Sequence[str]) -> None:
    names = [key.replace(".", ".\n", key.count(".")) for key in keys]
    axes.set_xticks(range(len(keys)), names, fontsize=9)
    axes.set(yticks=[], xlim=(-0.2, len(keys) - 0.4), ylim=(-0.05, 1.05))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
