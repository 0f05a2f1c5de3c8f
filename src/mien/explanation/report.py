"""Explanations as one page that opens without a network, figures for print, and data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien import pages
from mien.evaluation.written import within
from mien.explanation import figures
from mien.explanation.explainer import BY_REGION, ExplainedFace
from mien.explanation.faithfulness import CELLS, ORDERS, REGION_ORDERS, STEPS
from mien.explanation.record import About, arrays, record
from mien.explanation.regions import REGIONS, areas
from mien.explanation.summary import ClassMeans, Estimate, Trust, class_means, trust
from mien.figures import on_page, style
from mien.files import whole_file
from mien.inference.percent import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Regional = NDArray[np.float64]
"""A value for each region, float64 (R,)."""

PAGE = "explain.html"
DATA = "explanations.json"
ARRAYS = "heatmaps.npz"

EXAMPLES = 8
"""Single faces shown of a dataset; of a photo all are shown."""

WANTED = 0.9
"""Share of faces on which an explanation should beat chance to be relied on."""

REGION_TEXT = (
    "How many percentage points of the probability a region contributes (its Shapley value: the"
    " mean over all orders in which the eight regions can be taken away), how many are lost if it"
    " alone is taken away, and how much of each heatmap's positive part lies in it. What all"
    " contribute sums to the probability of the whole face less that of one of which nothing is"
    " left."
)

LIMITS = (
    "An explanation says what the network answers to, not what people see in a face, and not what"
    " the person feels. Taking away part of a face makes a picture that no camera makes; the"
    " network's answer to it is part of the measure. A neutral face has little that could be taken"
    " away, so chance is hard to beat on it."
)


class Report:
    """A page that grows section by section; each figure is also written as PNG and SVG.

    Args:
        title: Of the page.
        folder: Where everything is written.
    """

    def __init__(self, title: str, folder: Path) -> None:
        self._title, self._folder = title, folder
        self._sections: list[str] = []

    def add(self, title: str, *parts: str) -> None:
        """Add a section; the parts are HTML."""
        self._sections.append(pages.section(title, *parts))

    def draw(self, name: str, figure: Figure, alt: str) -> str:
        """Write a figure as PNG and SVG, and return it as HTML."""
        return on_page(figure, self._folder / name, alt)

    def write(self) -> None:
        """Write the page; it ends with what explanations do not say."""
        self.add("What this does not say", pages.paragraph(LIMITS))
        with whole_file(self._folder / PAGE) as path:
            path.write_text(pages.page(self._title, self._sections), encoding="utf-8")


def write_data(about: About, faces: Sequence[ExplainedFace], folder: Path) -> None:
    """Write all figures as JSON, and crops, regions and heatmaps as arrays for NumPy."""
    content = record(about, faces, class_means(faces), trust(faces))
    with whole_file(folder / DATA) as path:
        path.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
    named: dict[str, Any] = arrays(faces)
    with whole_file(folder / ARRAYS) as path:
        np.savez_compressed(path, **named)


def photo_report(about: About, faces: Sequence[ExplainedFace], folder: Path) -> Report:
    """Return the page of a photo: what it is about, and each of its faces."""
    report = Report(f"What {about.output.classifier.card.name} looks at", folder)
    _add_about(report, about)
    with style():
        for number, face in enumerate(faces):
            title = f"Face {number}: {face.expression}, {percent(face.probability)}"
            drawn = report.draw(f"face-{number}", figures.face_figure(face), title)
            report.add(title, drawn, *_face_tables(face))
    return report


def dataset_report(about: About, faces: Sequence[ExplainedFace], folder: Path) -> Report:
    """Return the page of a dataset: means by expression, how far they hold, and some faces."""
    classes, methods = class_means(faces), trust(faces)
    report = Report(f"What {about.output.classifier.card.name} looks at", folder)
    _add_about(report, about)
    with style():
        _add_classes(report, classes)
        _add_trust(report, methods)
        _add_examples(report, faces[:EXAMPLES])
    return report


def _add_about(report: Report, about: About) -> None:
    settings = about.settings
    rows = [
        ("model", about.output.classifier.card.name),
        ("output", about.output.head.name),
        ("source", about.source),
        ("faces", about.chosen),
        ("methods", ", ".join((*about.methods, BY_REGION))),
        ("what is taken away becomes", settings.fill),
        ("regions", about.places),
    ]
    report.add(
        "What was explained",
        pages.table(["", ""], rows),
        pages.paragraph(
            "Vermilion speaks for the expression, blue against it. Heatmaps are each on a scale of"
            " their own. Regions are coloured by what they contribute."
        ),
    )


def _add_classes(report: Report, classes: Sequence[ClassMeans]) -> None:
    report.add(
        "By expression",
        pages.paragraph(
            "Means over the faces that were explained for an expression, on the mean of those"
            " faces. Every face counts alike."
        ),
        report.draw("classes", figures.class_figure(classes), "mean heatmaps by expression"),
    )
    header = ["expression", *_region_header(list(classes[0].shares))]
    rows = (
        [one.expression, *row]
        for one in classes
        for row in _region_rows(one.areas, one.shapley, one.alone, one.shares)
    )
    report.add(
        "What regions contribute",
        pages.paragraph(REGION_TEXT),
        report.draw("regions", figures.region_figure(classes), "contributions of regions"),
        pages.table(header, rows),
    )


def _region_header(methods: Sequence[str]) -> list[str]:
    shares = [f"{name}, %" for name in methods]
    return ["region", "area, %", "contributes", "taken away alone", *shares]


def _region_rows(
    sizes: Regional, shapley: Regional, alone: Regional, shares: Mapping[str, Regional | None]
) -> Iterable[list[str | float]]:
    for index, region in enumerate(REGIONS):
        yield [
            region,
            _percent(sizes[index]),
            _percent(shapley[index]),
            _percent(alone[index]),
            *("undefined" if s is None else _percent(s[index]) for s in shares.values()),
        ]


def _percent(share: float) -> float:
    return round(100 * float(share), 1)


def _face_tables(face: ExplainedFace) -> Iterable[str]:
    placed, parts = face.contributions.regions, face.contributions
    shares = {one.method: one.shares(placed) for one in face.explanations}
    rows = _region_rows(areas(placed), parts.shapley, parts.alone, shares)
    yield pages.paragraph(REGION_TEXT)
    yield pages.table(_region_header(list(shares)), rows)
    yield pages.paragraph(
        f"Areas under the curves of deletion and insertion. {_chance_text()}", note=True
    )
    yield pages.table(
        ["", "deletion", "by chance", "insertion", "by chance"],
        (
            [
                name,
                *(round(curve.area, 3) for curve in (one.deletion, one.random_deletion)),
                *(round(curve.area, 3) for curve in (one.insertion, one.random_insertion)),
            ]
            for name, one in face.faithfulness.items()
        ),
    )


def _add_trust(report: Report, methods: Sequence[Trust]) -> None:
    rows: list[list[str | float]] = [
        [
            one.method,
            round(one.curves.deletion.area, 3),
            round(one.curves.random_deletion.area, 3),
            _shares(one.deletion_better),
            round(one.curves.insertion.area, 3),
            round(one.curves.random_insertion.area, 3),
            _shares(one.insertion_better),
        ]
        for one in methods
    ]
    header = ["", "deletion", "by chance", "better, %", "insertion", "by chance", "better, %"]
    report.add(
        "How far this can be trusted",
        pages.paragraph(
            f"{_chance_text()} “Better” is the share of faces on which a method beats chance, with"
            " its 95 % interval: Wilson's over faces, a bootstrap's over subjects where all are"
            " known."
        ),
        pages.table(header, rows),
        *(pages.paragraph(_verdict(one)) for one in methods),
        report.draw("faithfulness", figures.curves_figure(methods), "deletion and insertion"),
    )


def _add_examples(report: Report, faces: Sequence[ExplainedFace]) -> None:
    numbered = enumerate(faces)
    drawn = [report.draw(f"face-{n}", figures.face_figure(f), f.name) for n, f in numbered]
    report.add("Some of the faces", *drawn)


def _chance_text() -> str:
    return (
        "What a method calls important is taken away first (deletion: a small area under the curve"
        " is good) or put back first (insertion: a large area is good). Chance takes away pieces"
        f" of the same size: for heatmaps {CELLS}x{CELLS} cells in {STEPS} steps, the mean of"
        f" {ORDERS} random orders of its own for each face; for regions whole regions, of"
        f" {REGION_ORDERS} orders."
    )


def _verdict(one: Trust) -> str:
    better, gain = one.deletion_better, one.deletion_gain
    reached = "does" if better.value >= WANTED else "does not"
    surely = "" if better.low >= WANTED or better.high < WANTED else " (its interval holds both)"
    return (
        f"{one.method} {reached} beat chance in deletion on at least {WANTED:.0%} of these faces:"
        f" {better.value:.1%}{surely}, by {within(gain.value, gain.low, gain.high)} of area."
    )


def _shares(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"
