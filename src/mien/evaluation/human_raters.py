"""A model beside human raters: FER+ gives ten votes for each face.

`votes` is uint8 (N, 10) in the order of `mien.labels.VOTES`; the last two columns are "unknown" and
"not a face". `labels` is the label set of the model's output.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET
from mien.data.votes import Votes, majority
from mien.evaluation.counts import mean
from mien.evaluation.metrics import Probabilities, Truth
from mien.labels import LABEL_SETS, LabelSet

SMALLEST = 1e-12
"""Probabilities below it count as this in logarithms."""


def shares(votes: Votes, labels: LabelSet) -> NDArray[np.float64]:
    """Return the share of each expression of a label set among the votes for one of them.

    Returns:
        float64 (N, C); rows sum to 1, or are NaN where no rater named one of them.
    """
    kept = votes[:, labels.positions_in(LABEL_SETS["ferplus8"])].astype(np.float64)
    total = kept.sum(axis=1, keepdims=True)
    found = np.full_like(kept, np.nan)
    np.divide(kept, total, out=found, where=total > 0)
    return found


def plurality_accuracy(votes: Votes, labels: LabelSet, probabilities: Probabilities) -> float:
    """Return how often the decision is the expression most raters named, ties counted as parts.

    A decision that shares the first place with n - 1 others counts 1 / n.
    """
    wanted = shares(votes, labels)
    known = ~np.isnan(wanted[:, 0])
    if not known.any():
        return float("nan")
    wanted, decided = wanted[known], probabilities[known].argmax(1)
    first = wanted == wanted.max(1, keepdims=True)
    return float((first[np.arange(len(decided)), decided] / first.sum(1)).mean())


def cross_entropy(votes: Votes, labels: LabelSet, probabilities: Probabilities) -> float:
    """Return the mean of -sum(share * log p) over faces with votes, in nats."""
    wanted = shares(votes, labels)
    logs = np.log(np.clip(probabilities, SMALLEST, None))
    return mean(-(wanted * logs).sum(1))


def divergence(votes: Votes, labels: LabelSet, probabilities: Probabilities) -> float:
    """Return the mean of KL(shares || probabilities) over faces with votes, in nats."""
    wanted = shares(votes, labels)
    logs = np.log(np.clip(wanted, SMALLEST, None))
    entropy = mean(-(wanted * logs).sum(1))
    return cross_entropy(votes, labels, probabilities) - entropy


def rater_accuracy(votes: Votes, truth: Truth, labels: LabelSet) -> float:
    """Return what a single rater reaches against a truth that the votes did not make.

    The mean over faces of the share of raters who named the truth; votes for "unknown", "not a
    face" and expressions outside the label set are wrong.

    Args:
        votes: uint8 (N, 10).
        truth: int (N,), index into `labels`, or `NO_TARGET`: such faces do not count.
        labels: The truth's label set.
    """
    known = (truth != NO_TARGET) & (votes.sum(1) > 0)
    columns = labels.positions_in(LABEL_SETS["ferplus8"])[truth[known]]
    given = votes[known]
    return mean(given[np.arange(len(given)), columns] / given.sum(1))


def rater_against_others(votes: Votes) -> float:
    """Return how often a rater's vote is the majority of the other raters of the face.

    The majority is FER+'s (`mien.data.votes.majority`); where the others have none, the rater is
    not judged. This is the rate to hold a model's accuracy on FER+'s majority against.
    """
    right = judged = 0.0
    for column in range(votes.shape[1]):
        said = _others(votes, column)
        weight = votes[:, column].astype(np.float64)
        judged += float(weight[said >= 0].sum())
        right += float(weight[said == column].sum())
    return right / judged if judged else float("nan")


def faces_with_judged_raters(votes: Votes) -> int:
    """Return on how many faces `rater_against_others` judges a rater."""
    found = [(votes[:, column] > 0) & (_others(votes, column) >= 0) for column in range(10)]
    return int(np.any(found, axis=0).sum())


def _others(votes: Votes, column: int) -> NDArray[np.int64]:
    """Return the majority of the raters but one who voted for a column, where there is such."""
    others = votes.copy()
    others[:, column] -= others[:, column] > 0
    return np.where(votes[:, column] > 0, majority(others), NO_TARGET)
