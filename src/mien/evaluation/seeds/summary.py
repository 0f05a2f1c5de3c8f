"""A figure over the seeds of several trainings: its mean, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np

from mien.card import Figure
from mien.evaluation.folds.spread import spread


@dataclass(frozen=True)
class Summary:
    """A figure over seeds.

    Args:
        value: The mean.
        low: Of its 95 % interval, within what there can be. Of a single seed it is the bootstrap
            interval. Of several that were judged on the same faces it is this, which they share,
            and Student's over the seeds, added in squares; of those whose faces differ the wider of
            both, for the spread over them has the chance of faces in it.
        high: The same, upwards.
        seeds: How many.
        faces: How many a seed was judged on, on average.
    """

    value: float
    low: float
    high: float
    seeds: int
    faces: int


def summarise(
    figures: Sequence[Figure], *, same_faces: bool, within: tuple[float, float] = (0.0, 1.0)
) -> Summary:
    """Return the mean of one or more seeds' figures.

    Args:
        figures: Of each seed.
        same_faces: Whether all were judged on the same faces.
        within: Smallest and largest value that there can be; of a share 0 and 1.
    """
    values = [figure.value for figure in figures]
    low, high = (float(np.mean([getattr(f, end) for f in figures])) for end in ("low", "high"))
    mean, faces = float(np.mean(values)), round(float(np.mean([f.images for f in figures])))
    if len(values) > 1:
        over_seeds = spread(values, mean, (low, high))
        half = over_seeds.high - mean
        if same_faces:
            low, high = mean - hypot(mean - low, half), mean + hypot(high - mean, half)
        elif 2 * half > high - low:
            low, high = mean - half, mean + half
    return Summary(mean, max(low, within[0]), min(high, within[1]), len(values), faces)
