"""Two models on the same faces: is the difference more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from mien.evaluation.bootstrap import Groups, drawn_interval, has_no_width
from mien.evaluation.metrics import Metric, Probabilities, Truth, accuracy, span
from mien.evaluation.unvaried import UNKNOWN, wilson


@dataclass(frozen=True)
class Difference:
    """A metric of a second model less that of a first, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test.

    Args:
        first_only: Faces that only the first model gets right.
        second_only: Faces that only the second gets right.
        p: Probability of a difference at least so large if both were equally good.
    """

    first_only: int
    second_only: int
    p: float


def paired_difference(
    metric: Metric,
    truth: Truth,
    first: Probabilities,
    second: Probabilities,
    groups: Groups | None = None,
    *,
    seed: int = 0,
) -> Difference:
    """Return the difference of a metric with its paired bootstrap interval.

    Of few faces or groups it is widened. Where the models differ by the same in each group, which
    tells nothing of other groups, it is of single faces; where they do in each face, too, it is
    Wilson's of the share of such faces for accuracy, and not known (NaN) for others.

    Args:
        metric: Any function of `mien.evaluation.metrics`.
        truth: int (N,).
        first: float (N, C).
        second: float (N, C), of the same faces.
        groups: str (N,), what is drawn together: the subject of each face; None for each face by
            itself.
        seed: Seeds the resampling.
    """
    least, most = span(metric)

    def difference(pick: NDArray[np.intp] | slice) -> float:
        return metric(truth[pick], second[pick]) - metric(truth[pick], first[pick])

    def drawn(groups: Groups | None) -> tuple[float, float]:
        within = (least - most, most - least)
        return drawn_interval(difference, len(truth), groups, within, seed=seed)

    found = drawn(groups)
    if groups is not None and has_no_width(found):
        found = drawn(None)
    value = difference(slice(None))
    if has_no_width(found):
        found = _unvaried(value, len(truth)) if metric is accuracy else UNKNOWN
    return Difference(value, *found)


def _unvaried(value: float, count: int) -> tuple[float, float]:
    """Return the interval of a difference of accuracies that is -1, 0 or 1 in every face."""
    half = wilson(0, count)[1]
    return max(-1.0, value - half), min(1.0, value + half)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for being several, in the given order, each 1 at most.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979.
    """
    order = np.argsort(values)
    times = np.arange(len(values), 0, -1)
    corrected = np.minimum(np.maximum.accumulate(times * np.asarray(values)[order]), 1.0)
    found = np.empty(len(values))
    found[order] = corrected
    return [float(p) for p in found]


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> McNemar:
    """Test whether two models are right equally often, by the faces on which they differ.

    McNemar, Psychometrika 12, 1947; exact, by the binomial distribution.

    Args:
        first: bool (N,), where the first model is right.
        second: bool (N,), where the second is.
    """
    first_only = int((first & ~second).sum())
    second_only = int((second & ~first).sum())
    differ = first_only + second_only
    p = float(binomtest(first_only, differ).pvalue) if differ else 1.0
    return McNemar(first_only, second_only, p)
