"""Metrics as pure functions on arrays.

`truth` is int (N,), the right class of each face, all of them known. `probabilities` is float
(N, C) with rows that sum to 1; where only the decision counts, the largest entry is it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.counts import class_counts, cohen_kappa, mean

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


def top2_accuracy(truth: Truth, probabilities: Probabilities) -> float:
    """Return the share of faces whose right class is among the two most probable.

    Of equally probable classes the first are taken, as for the decision.
    """
    right = probabilities[np.arange(len(truth)), truth][:, None]
    earlier = np.arange(probabilities.shape[1]) < truth[:, None]
    before = (probabilities > right) | ((probabilities == right) & earlier)
    return float((before.sum(1) < 2).mean())


def balanced_accuracy(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean recall of the classes that occur in `truth`."""
    counts = class_counts(confusion(truth, probabilities))
    return mean(counts.recall, counts.support > 0)


def macro_f1(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean F1 of the classes that occur in `truth`."""
    counts = class_counts(confusion(truth, probabilities))
    return mean(counts.f1, counts.support > 0)


def weighted_f1(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean F1 of the classes, each counted by its faces."""
    counts = class_counts(confusion(truth, probabilities))
    return mean(counts.f1, counts.support)


def kappa(truth: Truth, probabilities: Probabilities) -> float:
    """Return Cohen's kappa of truth and decisions."""
    return cohen_kappa(confusion(truth, probabilities))


def macro_auc(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean area under the ROC curves of the classes for which it is defined.

    By counting pairs (Mann and Whitney), which is faster than by curves and the same.
    """
    hits = truth == np.arange(probabilities.shape[1])[:, None]
    return mean(np.array([_pairs(scores, hit) for scores, hit in zip(probabilities.T, hits)]))


def _pairs(scores: NDArray[np.float64], hits: NDArray[np.bool_]) -> float:
    """Return the share of pairs of a hit and another in which the hit's score is above; ties half.

    NaN without a hit or another.
    """
    others, own = np.sort(scores[~hits]), scores[hits]
    if not len(others) or not len(own):
        return float("nan")
    below = others.searchsorted(own, "left").sum() + others.searchsorted(own, "right").sum()
    return float(below / 2 / (len(own) * len(others)))


def brier(truth: Truth, probabilities: Probabilities) -> float:
    """Return the Brier score: the mean squared distance from the one-hot truth, 0 to 2."""
    squares = (probabilities**2).sum(1) - 2 * probabilities[np.arange(len(truth)), truth] + 1
    return float(squares.mean())


def negative_log_likelihood(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean of -log p(right class), in nats; p at least 2.2e-16, as in scikit-learn."""
    right = probabilities[np.arange(len(truth)), truth]
    # At most 1, which sums of probabilities are but for rounding; and no "-0.000" of the surest.
    return abs(float(np.log(np.clip(right, np.finfo(np.float64).eps, 1.0)).mean()))


def expected_calibration_error(truth: Truth, probabilities: Probabilities) -> float:
    """Return the mean distance of confidence from accuracy over 15 bins of equal width.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    count, confidence, accurate = reliability(truth, probabilities)
    return float((np.abs(accurate - confidence) * count).sum() / len(truth))


def reliability(
    truth: Truth, probabilities: Probabilities
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what a reliability diagram shows of 15 bins of equal width.

    Returns:
        Faces in each bin, int (15,); their mean confidence and accuracy, float (15,), 0 of an
        empty bin.
    """
    confidence = probabilities.max(1)
    hits = probabilities.argmax(1) == truth
    bins = np.clip(np.ceil(confidence * ECE_BINS).astype(np.int64) - 1, 0, ECE_BINS - 1)
    count = np.bincount(bins, minlength=ECE_BINS)
    whole = np.maximum(count, 1)
    confident = np.bincount(bins, weights=confidence, minlength=ECE_BINS) / whole
    return count, confident, np.bincount(bins, weights=hits, minlength=ECE_BINS) / whole


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "nll": negative_log_likelihood,
    "ece": expected_calibration_error,
}
"""The headline metrics, by the name figures carry."""

SPANS: dict[Metric, tuple[float, float]] = {
    kappa: (-1.0, 1.0),
    brier: (0.0, 2.0),
    negative_log_likelihood: (0.0, np.inf),
}


def span(metric: Metric) -> tuple[float, float]:
    """Return the smallest and the largest value that a metric can have."""
    return SPANS.get(metric, (0.0, 1.0))
