"""How far a figure can be trusted: intervals from resampled faces or subjects, and of shares."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.metrics import Metric, Probabilities, Truth

RESAMPLES = 1000
COVERAGE = 0.95

SMALLEST = 1e-12
"""Intervals narrower than this have no width but that of rounding."""

NORMAL = 1.959963984540054
"""Standard deviations within which 95 % of a normal distribution lie."""

CALIBRATION_NOTE = (
    "The calibration error of a resample is larger than that of the whole, so its interval lies too"
    " high: it shows the width."
)
"""What a reader of such intervals must know."""

Groups = NDArray[np.str_]
"""str (N,), what is drawn together, such as the subject of each face."""


def known_groups(groups: Groups) -> Groups | None:
    """Return groups to draw whole; None unless each face has one and there are two or more."""
    return groups if (groups != "").all() and len(np.unique(groups)) > 1 else None


def interval(
    metric: Metric,
    truth: Truth,
    probabilities: Probabilities,
    groups: Groups | None = None,
    *,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the bounds of a metric's 95 % bootstrap interval.

    Args:
        metric: Any function of `mien.evaluation.metrics`.
        truth: int (N,).
        probabilities: float (N, C).
        groups: Draw these, with all their faces, instead of single faces: faces of one subject are
            alike, and intervals that take them for independent are too narrow. A single group
            leaves nothing to draw: then it is single faces.
        seed: Seeds the resampling.
    """
    return intervals({"metric": metric}, truth, probabilities, groups, seed=seed)["metric"]


def intervals(
    metrics: Mapping[str, Metric],
    truth: Truth,
    probabilities: Probabilities,
    groups: Groups | None = None,
    *,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return the bounds of several metrics' intervals, by name, from the same resamples.

    Args and returns as of `interval`. Where no resample differs from 0, or from 1, because every
    face or group is read alike, the other bound is Wilson's over these.
    """
    if groups is not None and len(np.unique(groups)) == 1:
        groups = None
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for pick in resampled(len(truth), groups, seed):
        drawn, said = truth[pick], probabilities[pick]
        for name, metric in metrics.items():
            values[name].append(metric(drawn, said))
    count = len(truth) if groups is None else len(np.unique(groups))
    return {name: _at_the_border(bounds(np.array(v)), count) for name, v in values.items()}


def _at_the_border(found: tuple[float, float], count: int) -> tuple[float, float]:
    """Return Wilson's bounds instead of an interval without width at 0 or at 1."""
    if found == (0.0, 0.0):
        return wilson(0, count)
    return wilson(count, count) if found == (1.0, 1.0) else found


def wilson(hits: float, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share: right also at 0 and 1, where a bootstrap has none.

    Wilson, "Probable inference", Journal of the American Statistical Association 22, 1927.
    """
    share, z2 = hits / of, NORMAL**2 / of
    middle = (share + z2 / 2) / (1 + z2)
    half = NORMAL * math.sqrt(share * (1 - share) / of + z2 / (4 * of)) / (1 + z2)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return min(low, share), max(high, share)


def share_interval(hits: NDArray[np.bool_], groups: Groups | None = None) -> tuple[float, float]:
    """Return the 95 % interval of a share: Wilson's over faces, a bootstrap over groups.

    Where all groups hit as often, no resample differs: it is Wilson's over the groups then; of a
    single group it is over its faces.

    Args:
        hits: bool (N,), at least one.
        groups: As for `interval`.
    """
    count = 1 if groups is None else len(np.unique(groups))
    if count == 1:
        return wilson(int(hits.sum()), len(hits))
    low, high = bounds(np.array([hits[p].mean() for p in resampled(len(hits), groups, 0)]))
    return wilson(float(hits.mean()) * count, count) if high - low < SMALLEST else (low, high)


def resampled(count: int, groups: Groups | None, seed: int) -> Iterator[NDArray[np.intp]]:
    """Give 1,000 times the positions of faces drawn with replacement.

    Args:
        count: How many faces there are.
        groups: str (N,), drawn whole; None to draw faces.
        seed: Seeds the drawing.
    """
    generator = np.random.default_rng(seed)
    if groups is None:
        for _ in range(RESAMPLES):
            yield generator.integers(count, size=count)
        return
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    for _ in range(RESAMPLES):
        drawn = generator.integers(len(members), size=len(members))
        yield np.concatenate([members[i] for i in drawn])


def bounds(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the bounds that hold the middle 95 % of the values that are numbers; NaN of none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)
