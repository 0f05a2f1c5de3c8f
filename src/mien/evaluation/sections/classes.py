"""Precision, recall, F1 and one-vs-rest counts of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien import figures, pages
from mien.evaluation.bootstrap import share_interval
from mien.evaluation.counts import ClassCounts, averages, class_counts
from mien.evaluation.judged import Judged
from mien.evaluation.metrics import accuracy, confusion
from mien.evaluation.predictions import Predictions
from mien.evaluation.sections.section import Drawing, Section
from mien.evaluation.written import UNDEFINED, known, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADER = ("class", "precision", "recall", "F1", "faces", "TP", "FP", "FN", "TN", "one-vs-rest")

ONE_VS_REST = (
    "One-vs-rest accuracy asks of each class “is it this one?”, and counts every face of another"
    " class that is not taken for it as right. With C classes a single mistake still earns C - 2"
    " right answers, so that figure is high even for poor models. Fatimatuzzahra et al. (2024,"
    " Table 2) report .89 in this way for decisions of which .78 are right; here the two are"
    " {pooled} and {plain}."
)


def classes(judged: Judged) -> Section:
    """Return the section of the classes."""
    faces = judged.faces
    matrix = confusion(faces.truth, faces.probabilities)
    counts = class_counts(matrix)
    names = faces.labels.expressions
    pooled = counts.pooled()
    rows = [*_rows(names, counts), *_averages(matrix), *_rows(["all together (micro)"], pooled)]
    plain = number(accuracy(faces.truth, faces.probabilities))
    about = ONE_VS_REST.format(pooled=number(float(pooled.accuracy[0])), plain=plain)
    return Section(
        name="classes",
        title="Classes",
        before=(
            pages.table(HEADER, rows),
            *(pages.paragraph(note, note=True) for note in (*_undefined(names, counts), about)),
        ),
        drawings=(Drawing("recall", "Recall of each class with its interval", _recalls(faces)),),
        data={
            "classes": {name: _figures(counts, i) for i, name in enumerate(names)},
            "averages": {
                kind: {name: known(value) for name, value in found.items()}
                for kind, found in averages(matrix).items()
            },
            "all together": _figures(pooled, 0),
        },
    )


def _undefined(names: Sequence[str], counts: ClassCounts) -> list[str]:
    missing = [name for name, support in zip(names, counts.support) if not support]
    never = [
        name
        for name, support, decided in zip(names, counts.support, counts.tp + counts.fp)
        if support and not decided
    ]
    notes = []
    if missing:
        notes.append(f"No face shows {', '.join(missing)}: all means are of the other classes.")
    if never:
        notes.append(
            f"Never decided for: {', '.join(never)}. Their precision is undefined, and its means"
            " are of the other classes."
        )
    return notes


def _rows(names: Sequence[str], counts: ClassCounts) -> list[list[str | int]]:
    parts = (counts.support, counts.tp, counts.fp, counts.fn, counts.tn)
    return [
        [
            name,
            number(counts.precision[i]),
            number(counts.recall[i]),
            number(counts.f1[i]),
            *(int(part[i]) for part in parts),
            number(counts.accuracy[i]),
        ]
        for i, name in enumerate(names)
    ]


def _averages(matrix: NDArray[np.int64]) -> list[list[str | int]]:
    return [
        [
            f"{kind} mean",
            *(number(found[name]) for name in ("precision", "recall", "f1")),
            int(matrix.sum()),
            "",
            "",
            "",
            "",
            "",
        ]
        for kind, found in averages(matrix).items()
    ]


def _figures(counts: ClassCounts, i: int) -> dict[str, float | int | None]:
    shares = {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "one_vs_rest_accuracy": counts.accuracy,
    }
    whole = {
        "faces": counts.support,
        "tp": counts.tp,
        "fp": counts.fp,
        "fn": counts.fn,
        "tn": counts.tn,
    }
    return {name: known(v[i]) for name, v in shares.items()} | {
        name: int(v[i]) for name, v in whole.items()
    }


def _recalls(faces: Predictions) -> Figure:
    names, people = faces.labels.expressions, faces.people
    figure = figures.new_figure(6.8, 1.1 + 0.36 * len(names))
    axes = figure.subplots()
    right = faces.probabilities.argmax(1) == faces.truth
    for place in range(len(names)):
        shown = faces.truth == place
        if not shown.any():
            axes.text(0.01, place, f"{UNDEFINED}: no face", va="center", color=figures.GREY)
            continue
        low, high = share_interval(right[shown], None if people is None else people[shown])
        figures.interval_mark(axes, place, float(right[shown].mean()), low, high)
        figures.value_above(axes, place, float(right[shown].mean()), digits=2)
    axes.set_yticks(range(len(names)), names)
    kind = "Wilson's 95 % interval over faces" if people is None else "95 % interval over subjects"
    axes.set(xlim=(0, 1), xlabel=f"recall, with {kind}")
    axes.set_ylim(len(names) - 0.5, -0.7)
    figures.light_grid(axes)
    return figure
