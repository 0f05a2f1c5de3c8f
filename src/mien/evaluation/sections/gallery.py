"""The surest mistakes and the most common confusions, with the faces."""

from __future__ import annotations

import html

import numpy as np
from numpy.typing import NDArray

from mien import pages
from mien.evaluation.judged import Judged
from mien.evaluation.metrics import confusion
from mien.evaluation.sections.matrix import pairs
from mien.evaluation.sections.section import Section

SUREST = 24
OF_A_PAIR = 8


def gallery(judged: Judged) -> Section | None:
    """Return the section of the mistakes; None without pictures or without a mistake."""
    faces = judged.faces
    shares = faces.probabilities
    decided = shares.argmax(1)
    wrong = np.flatnonzero(decided != faces.truth)
    if judged.images is None or not len(wrong):
        return None
    surest = wrong[np.argsort(-shares[wrong].max(1), kind="stable")]
    parts = [
        "<h3>Surest mistakes</h3>\n",
        pages.paragraph("Truth → decision, its probability, and the face's id."),
        pages.faces([face] for face in _shown(judged, judged.images, surest[:SUREST])),
    ]
    for truth, decision, count in pairs(confusion(faces.truth, shares)):
        names = faces.labels.expressions
        these = surest[(faces.truth[surest] == truth) & (decided[surest] == decision)]
        title = f"{names[truth]} taken for {names[decision]}: {count:,} faces"
        parts.append(f"<h3>{html.escape(title)}</h3>\n")
        shown = _shown(judged, judged.images, these[:OF_A_PAIR])
        parts.append(pages.faces([face] for face in shown))
    return Section(
        name="mistakes",
        title="Mistakes",
        before=tuple(parts),
        data={"surest": [str(id_) for id_ in faces.ids[surest[:SUREST]]], "count": len(wrong)},
    )


def _shown(judged: Judged, images: NDArray[np.uint8], which: NDArray[np.intp]) -> list[pages.Face]:
    faces = judged.faces
    names, shares = faces.labels.expressions, faces.probabilities
    return [
        pages.Face(
            images[i],
            f"{names[faces.truth[i]]} → {names[shares[i].argmax()]} {shares[i].max():.0%},"
            f" {faces.ids[i]}",
        )
        for i in which
    ]
