"""Metrics as pure functions on arrays.

`truth` is int (N,), the right class of each face, all of them known. `probabilities` is float
(N, C) with rows that sum to 1; where only the decision counts, the largest entry is it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.int64]
Probabilities = NDArray[np.float64]
Metric = Callable[[Truth, Probabilities], float]

ECE_BINS = 15


def accuracy(truth: Truth, probabilities: Probabilities) -> float:
    """Return the share of faces whose most probable class is the right one."""
    return float((probabilities.argmax(1) == truth).mean())


def confusion(truth: Truth, probabilities: Probabilities) -> NDArray[np.int64]:
    """Return counts (C, C): rows are the truth, columns the decision."""
    classes = probabilities.shape[1]
    cells = truth * classes + probabilities.argmax(1)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def balanced_accuracy(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean recall of the classes that occur in `truth`."""
    counts = confusion(truth, probabilities)
    support = counts.sum(1)
    occurs = support > 0
    return float((counts.diagonal()[occurs] / support[occurs]).mean())


def macro_f1(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean F1 of the classes that occur in `truth` or among the decisions."""
    counts = confusion(truth, probabilities)
    total = counts.sum(0) + counts.sum(1)
    occurs = total > 0
    return float((2 * counts.diagonal()[occurs] / total[occurs]).mean())


def negative_log_likelihood(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean of -log p(right class), in nats."""
    right = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(right, 1e-12, None)).mean())


def expected_calibration_error(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean distance of confidence from accuracy over 15 bins of equal width.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    confidence = probabilities.max(1)
    hits = probabilities.argmax(1) == truth
    bins = np.clip(np.ceil(confidence * ECE_BINS).astype(np.int64) - 1, 0, ECE_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - hits, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(truth))


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "nll": negative_log_likelihood,
    "ece": expected_calibration_error,
}
"""The headline metrics, by the name figures carry."""
