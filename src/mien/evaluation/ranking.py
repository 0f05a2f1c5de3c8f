"""How well probabilities order faces: ROC and precision-recall curves, one class against the rest.

The curves are scikit-learn's. Where a class has no face, or there is no other, a curve is
undefined: it is left out, and its area is not a number (NaN).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from mien.evaluation.counts import mean
from mien.evaluation.metrics import Probabilities, Truth

Kind = Literal["roc", "precision-recall"]

GRID = np.linspace(0, 1, 201)
"""Where macro averages of curves are computed."""


@dataclass(frozen=True)
class Curve:
    """A curve and the area under it.

    Args:
        x: float (K,), rising: false positive rate, or recall.
        y: float (K,): true positive rate, or precision.
        area: AUC, or average precision (the sum of precision over steps of recall, which is not
            interpolated).
        stepped: Whether between two points the height is that of the second, as for precision; else
            points are joined by lines.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float
    stepped: bool = False

    def at(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the heights at some x from 0 to 1."""
        if self.stepped:
            return np.asarray(self.y[self.x.searchsorted(x)])
        return np.asarray(np.interp(x, self.x, self.y))


def curves(truth: Truth, probabilities: Probabilities, kind: Kind) -> dict[int, Curve]:
    """Return the curve of each class for which it is defined, by the class's index."""
    of = _roc if kind == "roc" else _precision_recall
    hits = truth[:, None] == np.arange(probabilities.shape[1])
    defined = np.flatnonzero(hits.any(0) & ~hits.all(0))
    return {int(c): of(hits[:, c], probabilities[:, c]) for c in defined}


def micro(truth: Truth, probabilities: Probabilities, kind: Kind) -> Curve:
    """Return the curve of all decisions "is it this class?" together."""
    hits = truth[:, None] == np.arange(probabilities.shape[1])
    return (_roc if kind == "roc" else _precision_recall)(hits.ravel(), probabilities.ravel())


def macro(found: dict[int, Curve]) -> Curve | None:
    """Return the mean of some classes' curves over their x; its area is the mean of theirs."""
    if not found:
        return None
    heights = np.mean([curve.at(GRID) for curve in found.values()], axis=0)
    area = mean(np.array([curve.area for curve in found.values()]))
    return Curve(GRID, heights, area, stepped=next(iter(found.values())).stepped)


def _roc(hits: NDArray[np.bool_], scores: NDArray[np.float64]) -> Curve:
    x, y, _ = roc_curve(hits, scores)
    return Curve(x, y, float(roc_auc_score(hits, scores)))


def _precision_recall(hits: NDArray[np.bool_], scores: NDArray[np.float64]) -> Curve:
    precision, recall, _ = precision_recall_curve(hits, scores)
    area = float(average_precision_score(hits, scores))
    return Curve(recall[::-1], precision[::-1], area, stepped=True)
