"""Which outputs of a model can be judged on a dataset, and by what."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.votes import majority
from mien.errors import MienError, RecipeError
from mien.evaluation.predictions import Predictions
from mien.labels import LABEL_SETS
from mien.recipe import HeadPart
from mien.training.targets import head_targets, translate

Truths = NDArray[np.int64]

RATERS_ONLY = "contempt"
"""The expression that FER+'s raters could choose, and FER2013's labels do not have."""


def judgeable(model: str, heads: Iterable[HeadPart], faces: FaceDataset) -> list[HeadPart]:
    """Return the outputs for which some face has a truth, and where it comes from.

    The truth is the raters' majority where the output learnt from votes and raters saw the face,
    else the label.

    Args:
        model: The model's name, for the error.
        heads: Its outputs.
        faces: The dataset.

    Raises:
        MienError: If there is no such output.
    """
    heads = list(heads)
    found = [
        part
        for head in heads
        for part in [head if faces.votes is not None else _by_label(head)]
        if _has_truth(part, faces)
    ]
    if not found:
        names = ", ".join(head.labels for head in heads)
        raise MienError(
            f"Dataset {faces.name!r} has no face with a truth for an output of {model}: {names}."
        )
    return found


def _by_label(head: HeadPart) -> HeadPart:
    return head.model_copy(update={"target": "label"})


def _has_truth(head: HeadPart, faces: FaceDataset) -> bool:
    try:
        return bool((head_targets(faces, head).truth != NO_TARGET).any())
    except RecipeError:
        return False


def truth_for(table: Predictions, faces: FaceDataset) -> Truths:
    """Return what faces show, for another program's table of them: int64 (N,).

    A table that says it itself is checked, and says thereby whether labels or raters are meant.
    One that does not is judged by the majority of the raters if it can say contempt and they
    voted, else by the dataset's labels.

    Args:
        table: Predictions of N faces.
        faces: The same, in the same order.

    Raises:
        MienError: If what the table says is neither.
    """
    known = _known(table, faces)
    given = table.truth != NO_TARGET
    for truth in known:
        if (table.truth == truth)[given].all():
            return truth
    raise MienError(_contradiction(table, faces))


def checked_truth(table: Predictions, faces: FaceDataset) -> Truths:
    """Return what mien's own table says that faces show: int64 (N,).

    Args:
        table: Predictions of N faces, with their truth.
        faces: The same, in the same order.

    Raises:
        MienError: If the dataset says something else by now.
    """
    for truth in _known(table, faces):
        both = (table.truth != NO_TARGET) & (truth != NO_TARGET)
        if (table.truth == truth)[both].all():
            return table.truth
    raise MienError(f"{_contradiction(table, faces)} Evaluate the model itself on it.")


def _known(table: Predictions, faces: FaceDataset) -> list[Truths]:
    """Return what labels and raters say, the more probable one first."""
    label = translate(faces.targets, faces.labels, table.labels)
    if faces.votes is None:
        return [label]
    voted = head_targets(faces, HeadPart(labels=table.labels.name, target="votes")).truth
    return [voted, label] if RATERS_ONLY in table.labels.expressions else [label, voted]


def by_raters(faces: Predictions) -> bool:
    """Say whether what faces show is what most raters said of those that they saw."""
    if faces.votes is None or not faces.votes.any():
        return False
    seen = faces.votes.any(axis=1)
    said = translate(majority(faces.votes[seen]), LABEL_SETS["ferplus8"], faces.labels)
    return bool((said == faces.truth[seen]).all())


def _contradiction(table: Predictions, faces: FaceDataset) -> str:
    label = translate(faces.targets, faces.labels, table.labels)
    wrong = (table.truth != NO_TARGET) & (table.truth != label)
    first = wrong.argmax()
    shown = [*faces.labels.expressions, "none"][faces.targets[first]]
    return (
        f"The truth that {table.model or 'the table'} gives {int(wrong.sum())} faces is not that of"
        f" {faces.name!r}: of {table.ids[first]} {table.labels.expressions[table.truth[first]]}"
        f" instead of {shown}."
    )
