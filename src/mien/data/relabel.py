"""Bringing a dataset into another label set: what goes is dropped or merged, and counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.errors import DataError, MienError
from mien.labels import LabelSet, parse_expression


def relabel(
    dataset: FaceDataset, labels: LabelSet, merge: Mapping[str, str] | None = None
) -> FaceDataset:
    """Return the dataset in another label set.

    Faces whose expression the new set lacks are dropped, unless `merge` says what it becomes. Faces
    without a label stay. Votes stay as they are. The history says how many of each went.

    Args:
        dataset: Any dataset.
        labels: The wanted label set.
        merge: New expression by old one, such as `{"contempt": "disgust"}`, in any spelling.

    Raises:
        DataError: If the dataset lacks an old expression, the new set lacks a new one, or nothing
            is left.
    """
    becomes = _meanings(dataset, labels, merge or {})
    table = [becomes.get(e, NO_TARGET) for e in dataset.labels.expressions] + [NO_TARGET]
    targets = np.array(table, dtype=np.int64)[dataset.targets]
    keep = (targets != NO_TARGET) | (dataset.targets == NO_TARGET)
    if not keep.any():
        raise DataError(f"Dataset {dataset.name!r} has no face of label set {labels.name!r}.")
    changed = dataclasses.replace(
        dataset, labels=labels, targets=np.where(keep, targets, NO_TARGET)
    )
    return changed.select(np.flatnonzero(keep), _step(dataset, labels, becomes, merge or {}))


def relabel_all(
    datasets: Sequence[FaceDataset], labels: LabelSet, merge: Mapping[str, str]
) -> list[FaceDataset]:
    """Return several datasets in another label set; each merges the expressions that it knows.

    Raises:
        DataError: As `relabel` does; an old expression must be known to one dataset or more.
    """
    for old in merge:
        if not any(_knows(dataset, old) for dataset in datasets):
            names = " and ".join(repr(dataset.name) for dataset in datasets)
            raise DataError(f"{old!r} cannot be merged: the label set of {names} does not hold it.")
    return [
        relabel(dataset, labels, {o: new for o, new in merge.items() if _knows(dataset, o)})
        for dataset in datasets
    ]


def _knows(dataset: FaceDataset, expression: str) -> bool:
    try:
        return parse_expression(expression) in dataset.labels.expressions
    except MienError as error:
        raise DataError(str(error)) from error


def _meanings(dataset: FaceDataset, labels: LabelSet, merge: Mapping[str, str]) -> dict[str, int]:
    kept = {e: labels.index(e) for e in dataset.labels.expressions if e in labels.expressions}
    try:
        for old, new in merge.items():
            dataset.labels.index(old)
            kept[parse_expression(old)] = labels.index(new)
    except MienError as error:
        raise DataError(str(error)) from error
    return kept


def _step(
    dataset: FaceDataset, labels: LabelSet, becomes: Mapping[str, int], merge: Mapping[str, str]
) -> str:
    counts = {
        e: int((dataset.targets == i).sum()) for i, e in enumerate(dataset.labels.expressions)
    }
    dropped = [f"dropped {n} {e}" for e, n in counts.items() if e not in becomes and n]
    pairs = ((parse_expression(old), parse_expression(new)) for old, new in merge.items())
    merged = [f"merged {counts[old]} {old} into {new}" for old, new in pairs]
    went = ", ".join(dropped + merged) or "dropped none"
    return f"label set {dataset.labels.name} to {labels.name}: {went}"
