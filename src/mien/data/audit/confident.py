"""Confident learning: which labels are likely wrong, from out-of-fold probabilities.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR
70, 2021. Throughout, `given` is int (N,) with the labels as they stand, and `probabilities` is
float (N, K) with rows that sum to 1, from models that did not learn from the face they judge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Given = NDArray[np.int64]
Probabilities = NDArray[np.float64]


def thresholds(given: Given, probabilities: Probabilities) -> NDArray[np.float64]:
    """Return for each class the mean probability that its own examples are given (equation 2).

    Returns:
        float (K,); infinite for a class without examples, which nothing then reaches.
    """
    classes = probabilities.shape[1]
    sums = np.bincount(given, probabilities[np.arange(len(given)), given], classes)
    counts = np.bincount(given, minlength=classes)
    found = counts > 0
    return np.asarray(np.divide(sums, counts, out=np.full(classes, np.inf), where=found))


def confident_joint(given: Given, probabilities: Probabilities) -> NDArray[np.int64]:
    """Count examples by given label and confidently other label (equation 1).

    An example counts where a class reaches its threshold, in the likeliest class that does.

    Returns:
        int (K, K): rows are given labels, columns likely labels.
    """
    likely = confident_labels(given, probabilities)
    joint = np.zeros((probabilities.shape[1],) * 2, dtype=np.int64)
    sure = likely >= 0
    np.add.at(joint, (given[sure], likely[sure]), 1)
    return joint


def confident_labels(given: Given, probabilities: Probabilities) -> NDArray[np.intp]:
    """Return the likeliest class that reaches its threshold, -1 where none does: (N,)."""
    limits = thresholds(given, probabilities)
    reached = np.where(probabilities >= limits, probabilities, -1.0)
    return np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)


def calibrated_joint(joint: NDArray[np.int64], given: Given) -> NDArray[np.float64]:
    """Return the estimated joint distribution of given and true labels (equation 3).

    The rows of the confident joint are brought to the frequencies of the given labels; a label of
    which nothing is confident counts as right.

    Returns:
        float (K, K), sums to 1.
    """
    counts = np.bincount(given, minlength=len(joint))
    rows = joint + np.diag(joint.sum(axis=1) == 0)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True) * counts[:, None] / counts.sum())


def noise_rates(calibrated: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each given label the estimated share that is wrong: (K,), 0 without examples."""
    totals = calibrated.sum(axis=1)
    wrong = totals - np.diag(calibrated)
    rates = np.divide(wrong, totals, out=np.zeros_like(totals), where=totals > 0)
    return np.asarray(rates)


def margins(given: Given, probabilities: Probabilities) -> NDArray[np.float64]:
    """Return p(given) less the largest other probability: (N,), from -1, wrong, to 1, right."""
    rows = np.arange(len(given))
    others = probabilities.copy()
    others[rows, given] = -np.inf
    return np.asarray(probabilities[rows, given] - others.max(axis=1))


def prune_by_noise_rate(
    given: Given, probabilities: Probabilities, calibrated: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Mark, for each pair of classes, as many examples as the joint holds (section 3.2, method 4).

    Of the examples given i, those with the largest p(j) - p(i) are marked for the pair (i, j).

    Returns:
        bool (N,).
    """
    marked = np.zeros(len(given), dtype=bool)
    quotas = np.rint(calibrated * len(given)).astype(int)
    for i, j in zip(*np.nonzero(quotas)):
        if i != j:
            own = np.flatnonzero(given == i)
            gains = probabilities[own, j] - probabilities[own, i]
            marked[own[np.argsort(-gains, kind="stable")[: quotas[i, j]]]] = True
    return marked
