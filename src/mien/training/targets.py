"""What each output of a network should say about each face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.votes import distribution, majority
from mien.errors import RecipeError
from mien.labels import LABEL_SETS, LabelSet, label_set
from mien.recipe import HeadPart


@dataclass(frozen=True)
class HeadTargets:
    """The truth of one head for N faces.

    Args:
        labels: The head's label set, C expressions.
        shares: float32 (N, C), what the network should say. A face counts by its row's sum: 1, or
            the share of the raters' votes that the label set has; 0 where nothing is known.
        truth: int64 (N,), the one right class, or `NO_TARGET` where there is none.
    """

    labels: LabelSet
    shares: NDArray[np.float32]
    truth: NDArray[np.int64]


def head_targets(dataset: FaceDataset, head: HeadPart) -> HeadTargets:
    """Return what `head` should say about a dataset.

    Raises:
        RecipeError: If the dataset lacks the votes or the labels that the head needs.
    """
    labels = label_set(head.labels)
    if head.target == "votes":
        return _from_votes(dataset, labels)
    return _from_labels(dataset, labels)


def _from_votes(dataset: FaceDataset, labels: LabelSet) -> HeadTargets:
    if dataset.votes is None:
        raise RecipeError(
            f"Head {labels.name!r} learns from votes, dataset {dataset.name!r} has none:"
            " give --votes."
        )
    ferplus = LABEL_SETS["ferplus8"]
    # Not divided by their sum: one stray vote among nine for what the set lacks is no certainty.
    shares = distribution(dataset.votes)[:, labels.positions_in(ferplus)]
    truth = translate(majority(dataset.votes), ferplus, labels)
    # Faces of another dataset, which no rater saw, are what that says.
    unseen = dataset.votes.sum(axis=1) == 0
    own = _labelled(dataset, labels)
    return HeadTargets(
        labels,
        np.where(unseen[:, None], own.shares, shares),
        np.where(unseen, own.truth, truth),
    )


def _from_labels(dataset: FaceDataset, labels: LabelSet) -> HeadTargets:
    found = _labelled(dataset, labels)
    if (found.truth == NO_TARGET).all():
        raise RecipeError(
            f"Head {labels.name!r} learns from labels, dataset {dataset.name!r} has none of its"
            f" expressions ({', '.join(labels.expressions)})."
        )
    return found


def _labelled(dataset: FaceDataset, labels: LabelSet) -> HeadTargets:
    truth = translate(dataset.targets, dataset.labels, labels)
    shares = np.zeros((len(truth), len(labels)), dtype=np.float32)
    known = truth != NO_TARGET
    shares[known, truth[known]] = 1
    return HeadTargets(labels, shares, truth)


def translate(targets: NDArray[np.int64], source: LabelSet, wanted: LabelSet) -> NDArray[np.int64]:
    """Return targets of one label set in another; what `wanted` lacks becomes `NO_TARGET`."""
    known = {e: i for i, e in enumerate(wanted.expressions)}
    table = [known.get(e, NO_TARGET) for e in source.expressions] + [NO_TARGET]
    return np.array(table, dtype=np.int64)[targets]
