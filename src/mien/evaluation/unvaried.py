"""Intervals where a bootstrap has none: of shares, and where all faces or subjects are alike."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.metrics import (
    Metric,
    Truth,
    accuracy,
    balanced_accuracy,
    macro_auc,
    macro_f1,
    top2_accuracy,
    weighted_f1,
)

NORMAL = 1.959963984540054
"""Standard deviations within which 95 % of a normal distribution lie."""

UNKNOWN = (math.nan, math.nan)
"""An interval that nothing is known of."""

SHARES: tuple[Metric, ...] = (accuracy, top2_accuracy, weighted_f1)
"""Shares of faces, or as good as that."""

CLASS_MEANS: tuple[Metric, ...] = (balanced_accuracy, macro_f1, macro_auc)
"""Means over classes of what is, or is as good as, a share of a class's faces."""


def wilson(hits: float, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share: right also at 0 and 1, where a bootstrap has none.

    Wilson, "Probable inference", Journal of the American Statistical Association 22, 1927.
    """
    share, z2 = hits / of, NORMAL**2 / of
    middle = (share + z2 / 2) / (1 + z2)
    half = NORMAL * math.sqrt(share * (1 - share) / of + z2 / (4 * of)) / (1 + z2)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return min(low, share), max(high, share)


def unvaried(
    metric: Metric, value: float, truth: Truth, groups: NDArray[np.str_] | None
) -> tuple[float, float]:
    """Return the interval of a metric that has one value in all resamples.

    Of a share of faces it is Wilson's over faces, or groups, and of a mean over classes the mean of
    theirs: a class of which there is one face tells little, also if there are many of the others.
    Of all others such as likelihoods nothing is known.

    Args:
        metric: Any function of `mien.evaluation.metrics`.
        value: Its value.
        truth: int (N,).
        groups: str (N,), what was drawn whole; None for single faces.
    """
    if math.isnan(value):
        return UNKNOWN
    units = np.arange(len(truth)) if groups is None else groups
    if metric in SHARES:
        return _share(value, units)
    if metric in CLASS_MEANS:
        found = [_share(value, units[truth == one]) for one in np.unique(truth)]
        low, high = np.mean(found, axis=0)
        return float(low), float(high)
    return UNKNOWN


def _share(value: float, units: NDArray[np.generic]) -> tuple[float, float]:
    count = len(np.unique(units))
    return wilson(value * count, count)
