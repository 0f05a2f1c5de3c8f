"""A cross-validation as a page: figures, confusion, curves."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mien import pages
from mien.evaluation.bootstrap import CALIBRATION_NOTE
from mien.evaluation.folds.cross_validation import TABLE, CrossValidated, HeadFigures
from mien.evaluation.written import UNDEFINED
from mien.figures import png
from mien.files import whole_file
from mien.training.schedules import direction

PAGE = "crossval.html"

MOST = {"nll": math.inf}
"""Student's interval may reach beyond what a metric can be: the most of those above 1."""

SELECTED_ON_FOLD = (
    "Selected on the held-out folds: each network's epoch was chosen by the faces it is judged on"
    " here, as some papers do, so these figures are too good. Without --select-on-fold a share of"
    " the other folds selects."
)

PRETRAINED = (
    "The training begins with, or learns from, a finished network. If that network has seen faces"
    " of these folds, the figures are too good."
)

ABOUT = (
    "Mean and deviation are of the folds; the interval of the mean is Student's with k - 1 degrees"
    " of freedom. Folds share training faces, so it is an approximation (Bengio and Grandvalet,"
    " 2004). Pooled figures are of all out-of-fold predictions together, with a 95 % bootstrap"
    " interval over {of}; it does not contain the spread between trainings. {note}"
)


def write_page(result: CrossValidated) -> Path:
    """Write `crossval.html`, self-contained, into the cross-validation's folder; return it."""
    path = result.folder / PAGE
    title = f"{result.plan.recipe.name}: {result.plan.count}-fold cross-validation"
    with whole_file(path) as temporary:
        temporary.write_text(pages.page(title, _sections(result)), encoding="utf-8")
    return path


def _sections(result: CrossValidated) -> Iterator[str]:
    plan = result.plan
    yield pages.paragraph(
        f"{len(plan.pool):,} faces of {plan.pool.name}: {plan.how}; {plan.selection}."
    )
    if plan.select_on_fold:
        yield f"<p><strong>{SELECTED_ON_FOLD}</strong></p>\n"
    if plan.recipe.start is not None or plan.recipe.distillation is not None:
        yield f"<p><strong>{PRETRAINED}</strong></p>\n"
    for head in result.heads:
        yield _head(head)
    yield pages.section(
        "Curves", pages.picture(png(curves(result)), "Training curves of each fold")
    )
    yield _made_of(result)


def _head(head: HeadFigures) -> str:
    name = head.labels.name
    of = "subjects, each with all of its faces" if head.people else "faces"
    twins = f"{head.leaked:,} judged faces have a pixel-identical twin among those of the training."
    return pages.section(
        f"Output {name}",
        pages.table(
            ("metric", "mean", "deviation", "95 % of the mean", "pooled", "95 % of the pooled"),
            [(metric, *cells) for metric, cells in spread_rows(head).items()],
        ),
        pages.paragraph(ABOUT.format(of=of, note=CALIBRATION_NOTE), note=True),
        pages.paragraph(twins, note=True) if head.leaked else "",
        pages.table(*fold_table(head)),
        pages.picture(png(confusion_plot(head)), f"Pooled confusion matrix of {name}"),
    )


def spread_rows(head: HeadFigures) -> dict[str, tuple[str, ...]]:
    """Return mean, deviation, its interval, pooled figure and its interval as text, by metric."""
    return {
        metric: (
            f"{s.mean:.4f}",
            f"{s.deviation:.4f}",
            f"{max(s.low, 0.0):.3f} to {min(s.high, MOST.get(metric, 1.0)):.3f}",
            f"{s.pooled:.4f}",
            UNDEFINED if math.isnan(s.pooled_low) else f"{s.pooled_low:.3f} to {s.pooled_high:.3f}",
        )
        for metric, s in head.spreads.items()
    }


def fold_table(head: HeadFigures) -> tuple[list[str], list[list[str | int]]]:
    """Return header and rows of a table of the folds."""
    header = ["fold", "faces", "epoch", "temperature", *head.spreads]
    rows: list[list[str | int]] = [
        [
            f.fold,
            f.faces,
            f.epoch,
            f"{f.temperature:.2f}",
            *(f"{m:.4f}" for m in f.metrics.values()),
        ]
        for f in head.folds
    ]
    return header, rows


def confusion_plot(head: HeadFigures) -> Figure:
    """Draw the pooled confusion matrix: counts, coloured by the share of the row."""
    counts = head.confusion
    rows = np.maximum(counts.sum(1, keepdims=True), 1)
    shares: NDArray[np.float64] = counts / rows
    size = 1.6 + 0.75 * len(counts)
    figure = Figure(figsize=(size + 1, size), dpi=130, layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.55 else "black"
        text = f"{count:,}\n{shares[row, column]:.0%}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    places, names = range(len(counts)), head.labels.expressions
    axes.set_xticks(places, names, rotation=40, ha="right")
    axes.set_yticks(places, names)
    axes.set(xlabel="decision", ylabel="truth")
    axes.spines[:].set_visible(False)
    figure.colorbar(shown, label="share of the row", shrink=0.8)
    return figure


def curves(result: CrossValidated) -> Figure:
    """Draw loss and the selected figure over the epochs, one line a fold; a dot is the choice."""
    select = result.plan.recipe.training.select
    shown = list(dict.fromkeys(["train_loss", "val_loss", select]))
    figure = Figure(figsize=(4.6 * len(shown), 3.8), dpi=110, layout="constrained")
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    colours = colormaps["viridis"](np.linspace(0, 0.9, result.plan.count))
    for fold, colour in enumerate(colours):
        with result.run(fold).metrics_file.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        epochs = [int(float(row["epoch"])) for row in rows]
        for axes, name in zip(panels, shown):
            values = [float(row[name]) for row in rows]
            axes.plot(epochs, values, color=colour, label=f"fold {fold}", linewidth=1.2)
            if name == select:
                best = int(np.argmax(values) if direction(name) == "max" else np.argmin(values))
                axes.plot(epochs[best], values[best], "o", color=colour, markersize=5)
    for axes, name in zip(panels, shown):
        _tidy(axes, name)
    panels[-1].legend(frameon=False, fontsize=8, ncols=1 + result.plan.count // 6)
    return figure


def _tidy(axes: Axes, name: str) -> None:
    axes.set(title=name.replace("_", " "), xlabel="Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)


def _made_of(result: CrossValidated) -> str:
    steps: Sequence[str] = result.plan.pool.history
    kept = result.folder / TABLE
    audit = (
        f"{TABLE} holds the probabilities of each face by the network that did not learn from it:"
        f" mien data audit DATA --probabilities {TABLE}. Test faces that were set aside"
        " are not in it; --with-test has them judged, too."
    )
    return pages.section(
        "Made of",
        *(pages.paragraph(f"· {step}") for step in steps),
        pages.paragraph(f"Fingerprint of the faces {result.plan.pool.fingerprint}", note=True),
        pages.paragraph(audit) if kept.exists() else "",
    )
