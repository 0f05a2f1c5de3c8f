"""The figures of a model's card: of all faces, of each expression, and on other datasets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.card import PRECISION, RECALL, Figure
from mien.data.dataset import NO_TARGET
from mien.errors import MienError
from mien.evaluation.bootstrap import intervals, share_interval
from mien.evaluation.metrics import METRICS
from mien.evaluation.predictions import Predictions
from mien.labels import LABEL_SETS, OWN, label_set

Of = tuple[str, str, str]
"""Dataset, split and subset that a figure is of."""

FOUR = LABEL_SETS["four"]


def split_figures(head: str, faces: Predictions, dataset: str, split: str) -> list[Figure]:
    """Return an output's figures on a split.

    They are of all its faces and of each expression, of the faces without a leaked twin, and as if
    only the four classes of the papers could be chosen.

    Args:
        head: The output's name.
        faces: With a truth, at the output's temperature.
        dataset: The dataset's name.
        split: The split's name.
    """
    figures = metric_figures(head, faces, (dataset, split, "all"))
    figures += metric_figures(head, faces.select(~faces.leaked), (dataset, split, "without leaked"))
    figures += _among_four(head, faces, dataset, split)
    return figures + class_figures(head, faces, (dataset, split, "all"))


def _among_four(head: str, faces: Predictions, dataset: str, split: str) -> list[Figure]:
    if faces.labels == FOUR or not set(FOUR.expressions) <= set(faces.labels.expressions):
        return []
    try:
        four = faces.among(FOUR).judged(split)
    except MienError:  # it gives all four no probability for some face: there is no such figure
        return []
    return metric_figures(head, four, (dataset, split, "among four"))


def elsewhere_figures(tables: Sequence[Predictions]) -> list[Figure]:
    """Return figures on all faces of a dataset on which nothing was trained or selected.

    Each output chooses among those of its expressions that the dataset shows, if it shows two or
    more. The intervals are over subjects where they are known.

    Args:
        tables: One an output, at its temperature.
    """
    return [figure for table in tables for figure in _elsewhere(table)]


def _elsewhere(table: Predictions) -> list[Figure]:
    known = _among_shown(table.select(table.truth != NO_TARGET))
    of = (table.dataset, "all", f"among {known.labels.name}")
    head = table.labels.name
    return [*metric_figures(head, known, of), *class_figures(head, known, of)]


def _among_shown(known: Predictions) -> Predictions:
    """Return predictions as if only what is the truth of some face could be chosen.

    As they are where that is a single expression, or some face has no probability for any of them.
    """
    expressions = known.labels.expressions
    shown = [expressions[place] for place in np.unique(known.truth)]
    if len(shown) < 2 or len(shown) == len(expressions):
        return known
    try:
        return known.among(label_set(OWN.join(shown)))
    except MienError:
        return known


def metric_figures(head: str, faces: Predictions, of: Of) -> list[Figure]:
    """Return every metric that has one with its bootstrap interval; nothing without a face.

    Faces of one subject are drawn together where all subjects are known.
    """
    if not len(faces):
        return []
    shares = faces.probabilities
    found = intervals(METRICS, faces.truth, shares, faces.people)
    return [
        figure(head, name, of, len(faces), metric(faces.truth, shares), found[name])
        for name, metric in METRICS.items()
        if np.isfinite(found[name]).all()
    ]


def class_figures(head: str, faces: Predictions, of: Of) -> list[Figure]:
    """Return recall and precision of each expression with their intervals, where they exist.

    Those are Wilson's, and a bootstrap over subjects where all are known.
    """
    people, figures = faces.people, []
    decided = faces.probabilities.argmax(1)
    right = decided == faces.truth
    for place, expression in enumerate(faces.labels.expressions):
        for kind, among in ((RECALL, faces.truth == place), (PRECISION, decided == place)):
            hits = right[among]
            if len(hits):
                within = share_interval(hits, None if people is None else people[among])
                name, value = f"{kind}{expression}", float(hits.mean())
                figures.append(figure(head, name, of, len(hits), value, within))
    return figures


def figure(
    head: str, metric: str, of: Of, images: int, value: float, interval: tuple[float, float]
) -> Figure:
    """Return a figure of some images with its interval."""
    dataset, split, subset = of
    low, high = interval
    return Figure(
        metric=metric,
        head=head,
        dataset=dataset,
        split=split,
        subset=subset,
        images=images,
        value=value,
        low=low,
        high=high,
    )
