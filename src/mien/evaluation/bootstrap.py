"""How far a figure can be trusted: intervals from resampled faces or subjects, and of shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.metrics import Metric, Probabilities, Truth, span
from mien.evaluation.unvaried import NORMAL, unvaried, wilson

RESAMPLES = 1000
COVERAGE = 0.95

SMALLEST = 1e-12
"""Intervals narrower than this have no width but that of rounding."""

FEW = 30
"""Faces or groups below which the intervals that they make are widened."""

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

    Args and returns as of `interval`. Of few faces or groups it is widened, and where no resample
    differs from another it is `unvaried`.
    """
    if groups is not None and len(np.unique(groups)) == 1:
        groups = None
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for pick in resampled(len(truth), groups, seed):
        drawn, said = truth[pick], probabilities[pick]
        for name, metric in metrics.items():
            values[name].append(metric(drawn, said))
    count = drawn_at_once(len(truth), groups)
    found = {name: bounds(np.array(drawn)) for name, drawn in values.items()}
    return {
        name: unvaried(metric, metric(truth, probabilities), truth, groups)
        if has_no_width(found[name])
        else widened(found[name], count, span(metric))
        for name, metric in metrics.items()
    }


def has_no_width(found: tuple[float, float]) -> bool:
    """Say whether an interval's bounds are the same, but for rounding."""
    return found[1] - found[0] < SMALLEST


def widened(
    found: tuple[float, float], count: int, within: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Return an interval as wide as it should be if few faces or groups were drawn.

    Resamples of k vary too little, by the root of (k - 1) / k, and do not know how badly k tell
    their own spread, which Student's distribution does. Hesterberg, "What Teachers Should Know
    About the Bootstrap", The American Statistician 69, 2015, section 3.

    Args:
        found: Lower and upper bound; not numbers, or without width, they stay as they are.
        count: How many were drawn; from `FEW` on nothing is changed.
        within: Smallest and largest value that there can be.
    """
    if count >= FEW or math.isnan(found[0]) or has_no_width(found):
        return found
    from scipy.stats import t as student  # takes long, and is rarely needed

    times = float(student.ppf((1 + COVERAGE) / 2, count - 1)) / NORMAL
    half = (found[1] - found[0]) / 2 * times * math.sqrt(count / (count - 1))
    middle = (found[0] + found[1]) / 2
    return max(within[0], middle - half), min(within[1], middle + half)


def share_interval(hits: NDArray[np.bool_], groups: Groups | None = None) -> tuple[float, float]:
    """Return the 95 % interval of a share: Wilson's over faces, a bootstrap over groups.

    Of few groups it is widened. Where all hit as often, no resample differs: it is Wilson's over
    the groups then; of a single group it is over its faces.

    Args:
        hits: bool (N,), at least one.
        groups: As for `interval`.
    """
    count = 1 if groups is None else len(np.unique(groups))
    if count == 1:
        return wilson(int(hits.sum()), len(hits))
    found = drawn_interval(lambda pick: float(hits[pick].mean()), len(hits), groups)
    return wilson(float(hits.mean()) * count, count) if has_no_width(found) else found


def drawn_interval(
    value: Callable[[NDArray[np.intp]], float],
    count: int,
    groups: Groups | None = None,
    within: tuple[float, float] = (0.0, 1.0),
    *,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the bounds of anything's 95 % bootstrap interval, widened where few are drawn.

    Args:
        value: What is computed of some faces, by their positions.
        count: How many faces there are.
        groups: As for `interval`.
        within: Smallest and largest value that there can be.
        seed: Seeds the resampling.
    """
    drawn = [value(pick) for pick in resampled(count, groups, seed)]
    return widened(bounds(np.array(drawn)), drawn_at_once(count, groups), within)


def drawn_at_once(count: int, groups: Groups | None) -> int:
    """Return how many faces, or groups of them, a resample draws."""
    return count if groups is None else len(np.unique(groups))


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
