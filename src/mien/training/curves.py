"""Training curves as a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mien.files import whole_file


def plot_curves(metrics: Path, picture: Path) -> None:
    """Draw loss and accuracy over the epochs of a `metrics.csv` into a PNG."""
    with whole_file(picture) as path:
        draw_curves(metrics).savefig(path, dpi=120)


def draw_curves(metrics: Path) -> Figure:
    """Return loss and accuracy over the epochs of a `metrics.csv` as a figure."""
    with metrics.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = list(rows[0])
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, rows, [c for c in columns if c.endswith("loss")], "Loss")
    _draw(right, rows, [*_accuracies(columns, "val"), *_accuracies(columns, "train")], "Accuracy")
    return figure


def _accuracies(columns: Sequence[str], split: str) -> list[str]:
    found = [c for c in columns if c.startswith(f"{split}_accuracy_")]
    # Of one head, the mean is the same line.
    return [*found, f"{split}_accuracy"] if len(found) > 1 else found


def _draw(axes: Axes, rows: Sequence[dict[str, str]], columns: Sequence[str], title: str) -> None:
    epochs = [int(float(row["epoch"])) for row in rows]
    for column in columns:
        values = [float(row[column] or "nan") for row in rows]
        style = "--" if column.startswith("train_accuracy") else "-"
        axes.plot(epochs, values, style, label=column.replace("_", " "))
    axes.set(title=title, xlabel="Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    # Under the axis: wherever it stood inside, some curve would run through it.
    legend = axes.legend(frameon=False, fontsize="small", ncols=3, columnspacing=1)
    legend.set(loc="upper center", bbox_to_anchor=(0.5, -0.15))
