"""The figures of an explanation: one function a figure, fit for print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.explanation.explainer import BY_REGION, ExplainedFace
from mien.explanation.explanation import Explanation
from mien.explanation.overlay import AGAINST, FOR, enlarged, outlined, overlay
from mien.explanation.regions import REGIONS
from mien.explanation.summary import ClassMeans, Trust
from mien.figures import CYCLE, GREY, INK, light_grid, new_figure
from mien.inference.percent import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mien.explanation.feature_maps import FeatureMaps

PANEL = 1.9
"""Inches along a side of a face."""

HEADING: dict[str, Any] = {"fontsize": 9, "fontweight": "normal"}
"""How the name of one of many pictures looks."""

COLUMNS = 8
"""Feature maps in a row."""


def face_figure(face: ExplainedFace) -> Figure:
    """Draw a face, what each method sees in it, its regions and what they contribute."""
    pictures = [("face", enlarged(face.crop)), *_overlays(face)]
    widths = [*(1.0 for _ in pictures), 2.0]
    figure = new_figure(PANEL * sum(widths) + 0.6, PANEL + 0.75)
    axes = figure.subplots(1, len(widths), width_ratios=widths)
    for place, (title, picture) in zip(axes, pictures):
        _picture(place, picture, title)
    _bars(axes[-1], face)
    title = f"{face.name}: {face.expression}, {percent(face.probability)}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, weight="bold")
    return figure


def class_figure(classes: Sequence[ClassMeans]) -> Figure:
    """Draw mean heatmaps, and regions by what they contribute, on the mean face of each class."""
    methods = list(classes[0].heatmaps)
    columns = ["mean face", *methods, BY_REGION]
    figure = new_figure(PANEL * len(columns) + 0.9, (PANEL + 0.12) * len(classes) + 0.3)
    grid = figure.subplots(len(classes), len(columns), squeeze=False)
    for row, one in zip(grid, classes):
        regions = outlined(overlay(one.face, one.shapley[one.regions]), one.regions)
        heatmaps = [overlay(one.face, one.heatmaps[name]) for name in methods]
        for place, picture in zip(row, [enlarged(one.face), *heatmaps, regions]):
            _picture(place, picture)
        label = f"{one.expression}\n{one.count} face{'s' if one.count > 1 else ''}"
        row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    for place, title in zip(grid[0], columns):
        place.set_title(title, **HEADING)
    return figure


def region_figure(classes: Sequence[ClassMeans]) -> Figure:
    """Draw what each region contributes to each expression, in percentage points."""
    values = 100 * np.array([one.shapley for one in classes])
    limit = max(float(np.abs(values).max()), 1.0)
    figure = new_figure(8.4, 0.42 * len(classes) + 1.1)
    axes = figure.subplots()
    axes.imshow(_shade(values / limit), aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if abs(value) > 0.6 * limit else INK
        axes.text(column, row, f"{value:+.1f}", ha="center", va="center", color=ink, fontsize=8.5)
    axes.set_xticks(range(len(REGIONS)), REGIONS)
    axes.set_yticks(range(len(classes)), [f"{one.expression} ({one.count})" for one in classes])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("percentage points of the probability", loc="left", **HEADING)
    return figure


def curves_figure(methods: Sequence[Trust]) -> Figure:
    """Draw mean deletion and insertion curves of each method beside chance."""
    figure = new_figure(8.4, 3.4)
    left, right = figure.subplots(1, 2, sharey=True)
    for colour, one in zip(CYCLE, methods):
        curves = one.curves
        for axes, curve, chance in (
            (left, curves.deletion, curves.random_deletion),
            (right, curves.insertion, curves.random_insertion),
        ):
            axes.plot(curve.fractions, curve.probabilities, color=colour, label=one.method)
            # Cells and regions have chances of their own.
            if one.method == BY_REGION or one is methods[0]:
                style = ":" if one.method == BY_REGION else "--"
                pieces = "regions" if one.method == BY_REGION else "cells"
                label = f"random {pieces}"
                axes.plot(chance.fractions, chance.probabilities, style, color=GREY, label=label)
    left.set(xlabel="share of the face taken away", ylabel="probability", title="deletion")
    right.set(xlabel="share of the face put back", title="insertion")
    for axes in (left, right):
        axes.set(xlim=(0, 1), ylim=(0, None))
        light_grid(axes)
    right.legend(loc="lower right")
    return figure


def maps_figure(found: FeatureMaps) -> Figure:
    """Draw feature maps in a grid, each on its own scale, with the numbers of their filters."""
    rows = -(-len(found.filters) // COLUMNS)
    columns = min(COLUMNS, len(found.filters))
    figure = new_figure(1.1 * columns, 1.28 * rows + 0.4)
    grid = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for place in grid:
        place.set_axis_off()
    for place, number, values in zip(grid, found.filters, found.maps):
        place.imshow(values, cmap="cividis")
        place.set_title(str(number), fontsize=7, fontweight="normal", pad=2)
    height, width = found.maps.shape[1:]
    title = f"{found.layer}, maps of {width}x{height}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, weight="bold")
    return figure


def _shade(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return colours, RGB (..., 3) from 0 to 1, of values from -1 (against) to 1 (for)."""
    ends = np.where((values > 0)[..., None], FOR, AGAINST) / 255
    return np.asarray(1 - np.abs(values)[..., None] * (1 - ends))


def _overlays(face: ExplainedFace) -> list[tuple[str, NDArray[np.uint8]]]:
    regions = face.contributions.regions
    by_region = overlay(face.crop, face.contributions.shapley[regions])
    methods = [(_title(one), overlay(face.crop, one.heatmap)) for one in face.explanations]
    return [*methods, (BY_REGION, outlined(by_region, regions))]


def _title(explanation: Explanation) -> str:
    return explanation.method.replace("integrated-gradients", "integrated\ngradients")


def _bars(axes: Axes, face: ExplainedFace) -> None:
    shapley, alone = 100 * face.contributions.shapley, 100 * face.contributions.alone
    places = np.arange(len(REGIONS))
    axes.barh(places, shapley, color=_shade(np.sign(shapley)), height=0.7)
    axes.plot(alone, places, "D", color=INK, markersize=3.5, linestyle="none", label="alone")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(places, REGIONS, fontsize=8)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("percentage points; ◆ taken away alone", fontsize=8)
    axes.set_title("what regions contribute", **HEADING)
    axes.spines["left"].set_visible(False)
    light_grid(axes)


def _picture(axes: Axes, picture: NDArray[np.uint8], title: str = "") -> None:
    axes.imshow(picture)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title, **HEADING)
