"""The pictures of an exploration: one function a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.inference.render import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 4000
"""Most points of a scatter plot."""

SAMPLES = 8
"""Faces shown of each class."""


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=130, layout="constrained")


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)


def count_plot(dataset: FaceDataset) -> Figure:
    """Draw how many faces each split holds of each expression."""
    counts = dataset.counts()
    figure = _figure(9, 4)
    axes = figure.subplots()
    width = 0.8 / len(counts)
    for number, (split, column) in enumerate(counts.items()):
        places = np.arange(len(column)) + (number - (len(counts) - 1) / 2) * width
        bars = axes.bar(places, list(column.values()), width * 0.95, label=split or "no split")
        axes.bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=2)
    axes.set_xticks(range(len(dataset.labels)), dataset.labels.expressions)
    axes.set_ylabel("faces")
    axes.legend(frameon=False)
    _tidy(axes)
    return figure


def faces_plot(faces: Mapping[str, NDArray[np.uint8]]) -> Figure:
    """Draw one picture per name, side by side."""
    figure = _figure(1.5 * len(faces), 1.9)
    for axes, (name, face) in zip(np.ravel(figure.subplots(1, len(faces))), faces.items()):
        axes.imshow(face, cmap="gray", vmin=0, vmax=255)
        axes.set_title(name, fontsize=10)
        axes.set_axis_off()
    return figure


def sample_grid(dataset: FaceDataset, seed: int = 0) -> Figure:
    """Draw random faces of each expression, one row a class."""
    generator = np.random.default_rng(seed)
    classes = len(dataset.labels)
    figure = _figure(1.1 * SAMPLES + 1.2, 1.15 * classes)
    grid = figure.subplots(classes, SAMPLES, squeeze=False)
    for target, row in enumerate(grid):
        found = generator.permutation(np.flatnonzero(dataset.targets == target))[:SAMPLES]
        row[0].set_ylabel(dataset.labels.expressions[target], rotation=0, ha="right", va="center")
        for axes in row:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for axes, index in zip(row, found):
            axes.imshow(dataset.images[index], cmap="gray", vmin=0, vmax=255)
    return figure


def distributions(measures: Mapping[str, NDArray[np.float64]], splits: NDArray[np.str_]) -> Figure:
    """Draw a histogram of each measure, the splits laid over each other as shares."""
    figure = _figure(4 * len(measures), 3)
    for axes, (name, values) in zip(np.ravel(figure.subplots(1, len(measures))), measures.items()):
        low, high = np.quantile(values, [0, 0.995])
        edges = np.linspace(float(low), float(high), 41)
        for split in np.unique(splits):
            own = values[splits == split]
            shares = np.full(len(own), 1 / len(own))
            label = str(split) or "no split"
            axes.hist(own, edges, weights=shares, histtype="step", label=label, linewidth=1.5)
        axes.set(xlabel=name, ylabel="share of faces")
        _tidy(axes)
    figure.axes[0].legend(frameon=False)
    return figure


def scatter(
    dataset: FaceDataset, points: NDArray[np.float32], explained: NDArray[np.float64]
) -> Figure:
    """Draw faces by their first two components, or three in space if there are three."""
    figure = _figure(7, 6)
    solid = points.shape[1] > 2
    axes = figure.add_subplot(projection="3d" if solid else None)
    chosen = np.random.default_rng(0).permutation(len(points))[:POINTS]
    for target, expression in enumerate(dataset.labels.expressions):
        own = chosen[dataset.targets[chosen] == target]
        look: dict[str, Any] = {
            "s": 6,
            "alpha": 0.6,
            "color": COLOURS[expression],
            "label": expression,
        }
        axes.scatter(*points[own].T, **look)
    names = [f"component {i + 1} ({share:.0%})" for i, share in enumerate(explained)]
    axes.set(**dict(zip(("xlabel", "ylabel", "zlabel"), names)))
    axes.legend(frameon=False, fontsize=8, markerscale=2)
    return figure


def confusion_plot(
    truth: NDArray[np.int64], decided: NDArray[np.int64], expressions: Sequence[str]
) -> Figure:
    """Draw a confusion matrix: rows are the truth, shares of a row as colour, counts as text."""
    classes = len(expressions)
    counts = np.bincount(truth * classes + decided, minlength=classes**2).reshape(classes, classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _figure(6.5, 5.5)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        ink = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=ink, fontsize=8)
    axes.set_xticks(range(classes), expressions, rotation=40, ha="right")
    axes.set_yticks(range(classes), expressions)
    axes.set(xlabel="decision", ylabel="truth")
    return figure


def labelled(dataset: FaceDataset) -> FaceDataset:
    """Return the faces that have a label."""
    return dataset.select(np.flatnonzero(dataset.targets != NO_TARGET))
