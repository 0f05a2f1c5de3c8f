"""Does confidence mean what it says? Reliability, and what a temperature changes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mien import figures, pages
from mien.evaluation.calibration import fit_temperature
from mien.evaluation.consistency import consistency
from mien.evaluation.judged import Judged
from mien.evaluation.metrics import (
    brier,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)
from mien.evaluation.predictions import Predictions
from mien.evaluation.sections.section import Drawing, Section
from mien.evaluation.written import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURES = {
    "ece": expected_calibration_error,
    "nll": negative_log_likelihood,
    "brier": brier,
}

HEADER = ("probabilities", "temperature", "ECE", "NLL", "Brier", "ECE if perfectly calibrated")

ABOUT = (
    "A temperature divides the logits: more than 1 makes the model less sure. It changes no"
    " decision. Fitted on val by the smallest negative log-likelihood, judged here on other faces."
)

CHANCE = (
    "If perfectly calibrated: the mean calibration error, and the most in 97.5 % of cases, that a"
    " model with these confidences would show on as many faces if every confidence was right. An"
    " error above the second figure is more than chance."
)

UNFITTED = "No temperature was fitted beside the judged faces, {why}."


def calibrated(judged: Judged) -> Section:
    """Return the section of the calibration."""
    versions = _versions(judged)
    found = {name: _figures(table) for name, table in versions.items()}
    chance = {name: consistency(table.probabilities) for name, table in versions.items()}
    rows = [
        [
            name,
            f"{table.temperature:.2f}",
            *(number(value) for value in found[name].values()),
            f"{number(chance[name].mean)}, up to {number(chance[name].high)}",
        ]
        for name, table in versions.items()
    ]
    about = UNFITTED.format(why=judged.no_val) if judged.val is None else ABOUT
    return Section(
        name="calibration",
        title="Calibration",
        before=(
            pages.table(HEADER, rows),
            pages.paragraph(about, note=True),
            pages.paragraph(CHANCE, note=True),
        ),
        drawings=(Drawing("reliability", "Accuracy over confidence", _drawn(versions)),),
        data={
            name: {
                "temperature": table.temperature,
                **found[name],
                "ece_if_calibrated": asdict(chance[name]),
            }
            for name, table in versions.items()
        },
    )


def _versions(judged: Judged) -> dict[str, Predictions]:
    """Return the judged predictions as given, without temperature and with one fitted on val."""
    faces = judged.faces
    found = {"as given": faces}
    if faces.temperature != 1:
        found["without temperature"] = faces.calibrated(1.0)
    if judged.val is not None:
        fitted = fit_temperature(judged.val.logits, judged.val.truth)
        found["fitted on val"] = faces.calibrated(fitted)
    return found


def _figures(table: Predictions) -> dict[str, float]:
    shares = table.probabilities
    return {name: metric(table.truth, shares) for name, metric in FIGURES.items()}


def _drawn(versions: dict[str, Predictions]) -> Figure:
    figure = figures.new_figure(3.6 * len(versions) + 0.4, 3.7)
    panels = figure.subplots(1, len(versions), squeeze=False, sharey=True)[0]
    for axes, (name, table) in zip(panels, versions.items()):
        _diagram(axes, table)
        axes.set_title(f"{name}, T = {table.temperature:.2f}")
    panels[0].set_ylabel("accuracy")
    return figure


def _diagram(axes: Axes, table: Predictions) -> None:
    count, confidence, accurate = reliability(table.truth, table.probabilities)
    filled = count > 0
    share = count / count.sum()
    edges = [i / len(count) for i in range(len(count))]
    axes.bar(
        edges,
        share,
        1 / len(count),
        align="edge",
        color=figures.GREY,
        alpha=0.35,
        label="share of the faces",
    )
    axes.plot([0, 1], [0, 1], color=figures.GREY, linewidth=1)
    axes.plot(
        confidence[filled],
        accurate[filled],
        "o-",
        color=figures.BLUE,
        markersize=4,
        label="accuracy",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence")
    axes.legend(loc="upper left")
    figures.light_grid(axes)
