"""How a figure spreads over folds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from mien.evaluation.bootstrap import COVERAGE


@dataclass(frozen=True)
class Spread:
    """A metric over k folds.

    Folds share most of their training faces, so their figures are not independent and no estimate
    of the mean's spread is free of bias (Bengio and Grandvalet, "No Unbiased Estimator of the
    Variance of K-Fold Cross-Validation", JMLR 2004); the t interval is the usual approximation.

    Args:
        mean: Of the folds.
        deviation: Standard deviation of the folds, with k - 1 degrees of freedom.
        low: Of the mean's 95 % interval, mean - t s / sqrt(k), with t at k - 1 degrees of freedom.
        high: The same, upwards.
        pooled: The metric of all faces together.
        pooled_low: Of its 95 % bootstrap interval.
        pooled_high: The same, upwards.
    """

    mean: float
    deviation: float
    low: float
    high: float
    pooled: float
    pooled_low: float
    pooled_high: float


def spread(values: Sequence[float], pooled: float, bounds: tuple[float, float]) -> Spread:
    """Return how a metric spreads.

    Args:
        values: Of the folds, two or more.
        pooled: Of all faces together.
        bounds: Of the pooled value's bootstrap interval.
    """
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    quantile = float(student.ppf((1 + COVERAGE) / 2, len(values) - 1))
    half = quantile * deviation / math.sqrt(len(values))
    return Spread(mean, deviation, mean - half, mean + half, pooled, *bounds)
