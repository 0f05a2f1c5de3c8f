"""How far a figure can be trusted: percentile intervals from resampled faces."""

from __future__ import annotations

import numpy as np

from mien.evaluation.metrics import Metric, Probabilities, Truth

RESAMPLES = 1000
COVERAGE = 0.95


def interval(
    metric: Metric, truth: Truth, probabilities: Probabilities, *, seed: int = 0
) -> tuple[float, float]:
    """Return the bounds of a metric's 95 % bootstrap interval.

    Args:
        metric: Any function of `mien.evaluation.metrics`.
        truth: int (N,).
        probabilities: float (N, C).
        seed: Seeds the resampling.
    """
    generator = np.random.default_rng(seed)
    picks = generator.integers(len(truth), size=(RESAMPLES, len(truth)))
    values = [metric(truth[pick], probabilities[pick]) for pick in picks]
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
