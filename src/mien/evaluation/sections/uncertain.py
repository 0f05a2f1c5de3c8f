"""Answering only when sure: the risk-coverage curve, and a threshold for "uncertain"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mien import figures, pages
from mien.evaluation.judged import Judged
from mien.evaluation.sections.section import Drawing, Section
from mien.evaluation.selective import KEPT_ERROR, RiskCoverage, risk_coverage, threshold
from mien.evaluation.written import known, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3)


def uncertain(judged: Judged) -> Section:
    """Return the section of selective answers."""
    faces = judged.faces
    shares = faces.probabilities
    found = risk_coverage(faces.truth, shares)
    other = judged.val
    chosen = threshold(
        found
        if other is None
        else risk_coverage(other.truth, other.calibrated(faces.temperature).probabilities)
    )
    answered = shares.max(1) >= chosen
    risk = float((shares.argmax(1) != faces.truth)[answered].mean()) if answered.any() else np.nan
    coverage = float(answered.mean())
    rows = [[f"{c:.0%}", number(1 - found.at(c)), number(found.at(c))] for c in COVERAGES]
    where = f"the judged faces themselves, {judged.no_val}" if other is None else "val"
    text = _without(chosen, where, coverage) or (
        f"Say “uncertain” below a confidence of {number(chosen, 4)}: chosen on {where} as the"
        f" threshold that halves the share of mistakes and answers most. Here it answers"
        f" {coverage:.0%} of the faces, and {number(risk)} of the answers are mistakes instead of"
        f" {number(float(found.risk[-1]))}."
    )
    return Section(
        name="uncertain",
        title="Answering only when sure",
        before=(pages.paragraph(text),),
        drawings=(
            Drawing(
                "risk-coverage",
                "Share of mistakes over the share of answered faces",
                _drawn(found, coverage, risk),
            ),
        ),
        after=(pages.table(("answered", "accuracy", "mistakes"), rows),),
        data=_data(found, chosen, coverage, risk),
    )


def _without(chosen: float, where: str, coverage: float) -> str:
    """Return what is said where there is no threshold to choose or use; empty where there is."""
    if chosen == 0:
        return f"There is no mistake on {where}: every face can be answered."
    if np.isinf(chosen):
        return (
            f"No threshold halves the share of mistakes on {where}: not even the surest faces do."
        )
    if coverage == 0:
        return (
            f"The threshold that halves the share of mistakes on {where}, a confidence of"
            f" {number(chosen, 4)}, answers none of the judged faces."
        )
    return ""


def _data(found: RiskCoverage, chosen: float, coverage: float, risk: float) -> dict[str, Any]:
    return {
        "threshold": known(chosen),
        "kept_error": KEPT_ERROR,
        "coverage": coverage,
        "risk": known(risk),
        "area": found.area,
        "accuracy_at_coverage": {f"{c:g}": 1 - found.at(c) for c in COVERAGES},
    }


def _drawn(found: RiskCoverage, coverage: float, risk: float) -> Figure:
    figure = figures.new_figure(6.2, 3.6)
    axes = figure.subplots()
    axes.plot(found.coverage, found.risk, color=figures.BLUE)
    axes.plot(coverage, risk, "o", color=figures.ORANGE, label="the threshold")
    axes.axhline(
        found.risk[-1], color=figures.GREY, linewidth=0.8, linestyle="--", label="answering always"
    )
    axes.set(
        xlim=(0, 1.01),
        xlabel="share of the faces that are answered, the surest first",
        ylabel="share of mistakes",
    )
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", bbox_to_anchor=(0, 0.93))
    figures.light_grid(axes)
    return figure
