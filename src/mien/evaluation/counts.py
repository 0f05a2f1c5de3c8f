"""What a confusion matrix says of each class: precision, recall, F1 and one-vs-rest counts.

A confusion matrix is int (C, C): rows are the truth, columns the decision. What has nothing to be
computed from, such as the recall of a class without a face, is not a number (NaN), never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Confusion = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class ClassCounts:
    """One-vs-rest counts of C classes, or of all together.

    Args:
        tp: int (C,), faces of the class that are taken for it.
        fp: int (C,), other faces that are taken for it.
        fn: int (C,), faces of the class that are taken for others.
        tn: int (C,), other faces that are taken for others.
    """

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    tn: NDArray[np.int64]

    @property
    def support(self) -> NDArray[np.int64]:
        """Faces of the class, int (C,)."""
        return self.tp + self.fn

    @property
    def precision(self) -> Values:
        """Share of right ones among the faces taken for the class, float (C,)."""
        return ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> Values:
        """Share of the class's faces that are taken for it, float (C,)."""
        return ratio(self.tp, self.support)

    @property
    def f1(self) -> Values:
        """Harmonic mean of precision and recall, float (C,)."""
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def accuracy(self) -> Values:
        """One-vs-rest accuracy, float (C,): faces of other classes count as right, too.

        Of all classes together this is how Fatimatuzzahra et al. 2024, Table 2, come to .89 where
        the share of right decisions is .78: each of the C - 2 classes that neither are the truth
        nor the decision of a mistake counts as right.
        """
        return ratio(self.tp + self.tn, self.tp + self.fp + self.fn + self.tn)

    def pooled(self) -> ClassCounts:
        """Return the counts of all classes added up, each array with one entry (micro average)."""
        return ClassCounts(
            *(np.atleast_1d(part.sum()) for part in (self.tp, self.fp, self.fn, self.tn))
        )


def class_counts(confusion: Confusion) -> ClassCounts:
    """Return the one-vs-rest counts of each class."""
    tp = confusion.diagonal()
    fp, fn = confusion.sum(0) - tp, confusion.sum(1) - tp
    return ClassCounts(tp, fp, fn, confusion.sum() - tp - fp - fn)


def averages(confusion: Confusion) -> dict[str, dict[str, float]]:
    """Return macro and weighted averages of precision, recall and F1.

    They are means over the classes that have a face, weighted by how many for the second. The
    precision of a class that is never decided for is undefined and left out of its means.

    Returns:
        By kind ("macro", "weighted"), then by figure.
    """
    counts = class_counts(confusion)
    figures = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
    weights = {"macro": counts.support > 0, "weighted": counts.support}
    return {
        kind: {name: mean(values, weight) for name, values in figures.items()}
        for kind, weight in weights.items()
    }


def cohen_kappa(confusion: Confusion) -> float:
    """Return Cohen's kappa: agreement with the truth beyond what chance would give.

    NaN if truth and decisions are all of one class.
    """
    total = confusion.sum()
    agreed = confusion.trace() / total if total else np.nan
    chance = float(confusion.sum(0) @ confusion.sum(1)) / total**2 if total else np.nan
    return float((agreed - chance) / (1 - chance)) if chance < 1 else float("nan")


def mean(values: Values, weights: NDArray[Any] | None = None) -> float:
    """Return the (weighted) mean of the values that are numbers and count; NaN of none."""
    weights = np.ones(len(values)) if weights is None else weights
    known = ~np.isnan(values) & (weights > 0)
    # Resampling asks thousands of times: np.average would be most of the time.
    total = weights[known].sum()
    return float(values[known] @ weights[known] / total) if total else float("nan")


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> Values:
    """Return part / whole, NaN where whole is 0."""
    found: Values = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=found, where=np.asarray(whole) > 0)
    return found
