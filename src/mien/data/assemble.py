"""From datasets as they were read to the faces of an experiment: what a recipe's data part says."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mien.data.audit import Result, audit
from mien.data.balance import at_least, at_most, combine
from mien.data.clean import Marks, leave_out
from mien.data.dataset import FaceDataset
from mien.data.division import by_ratio, divided, with_balanced_test
from mien.data.relabel import relabel_all
from mien.data.split import check_subjects
from mien.errors import RecipeError
from mien.labels import label_set
from mien.recipe import DataPart


def assemble(
    part: DataPart, datasets: Sequence[FaceDataset], *, progress: bool = False
) -> FaceDataset:
    """Return the faces a recipe is about, with their splits.

    Args:
        part: What the recipe says.
        datasets: The datasets it names, in any order.
        progress: Whether to show bars while faces are checked, which may take minutes.

    Raises:
        RecipeError: If these are not the datasets it names.
        DataError: If a step cannot be done with them.
    """
    faces = _together(part, _in_order(part, datasets))
    if part.clean:
        faces = _cleaned(part, faces, progress)
    if part.at_most:
        faces = at_most(faces, part.at_most, part.seed)
    faces = _split(part, faces)
    if part.validate_on_test:
        faces = _judged_by_test(faces)
    return at_least(faces, part.at_least, part.seed) if part.at_least else faces


def _in_order(part: DataPart, datasets: Sequence[FaceDataset]) -> list[FaceDataset]:
    by_name = {dataset.name: dataset for dataset in datasets}
    _check_names(datasets)
    if set(by_name) == {part.dataset} and len(datasets) == 1:
        return list(datasets)
    if sorted(part.datasets) != sorted(dataset.name for dataset in datasets):
        wanted = " and ".join(map(repr, part.datasets))
        found = " and ".join(repr(dataset.name) for dataset in datasets)
        raise RecipeError(
            f"The recipe is for dataset {wanted}. Got {found} instead; if that is meant, add --set"
            f" data.dataset={'+'.join(dataset.name for dataset in datasets)}."
        )
    return [by_name[name] for name in part.datasets]


def _check_names(datasets: Sequence[FaceDataset]) -> None:
    names = [dataset.name for dataset in datasets]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise RecipeError(
            f"The recipe's datasets are told apart by name. Got {repeated!r} more than once: mien"
            " data convert --as gives a dataset another name, and mien data combine makes them one."
        )


def _together(part: DataPart, datasets: Sequence[FaceDataset]) -> FaceDataset:
    if part.labels:
        datasets = relabel_all(datasets, label_set(part.labels), part.merge)
    return datasets[0] if len(datasets) == 1 else combine(part.dataset, datasets)


def _cleaned(part: DataPart, dataset: FaceDataset, progress: bool) -> FaceDataset:
    results = audit(dataset, part.clean, progress=progress)
    for result in results:
        if result.missing:
            raise RecipeError(f"data.clean: {result.check!r} cannot be run: {result.missing}")
    marks = [_marks(result, len(dataset)) for result in results]
    return leave_out(dataset, marks, part.clean_splits)


def _marks(result: Result, count: int) -> Marks:
    marked, groups = np.zeros(count, dtype=bool), np.full(count, -1)
    for finding in result.findings:
        if finding.index is not None:
            marked[finding.index], groups[finding.index] = finding.drop, finding.group
    return Marks(result.check, marked, groups)


def _split(part: DataPart, dataset: FaceDataset) -> FaceDataset:
    if part.test_per_class:
        count, ratio = part.test_per_class, part.split
        return divided(dataset, with_balanced_test(dataset, count, ratio, part.keep, part.seed))
    if part.shares:
        return divided(dataset, by_ratio(dataset, part.split, part.keep, part.seed))
    if part.keep == "subjects":
        check_subjects(dataset)
    return dataset


def _judged_by_test(dataset: FaceDataset) -> FaceDataset:
    """Make the test faces the faces to select on; what was val before is left out."""
    if not (dataset.splits == "test").any():
        raise RecipeError(
            f"data.validate_on_test needs test faces, dataset {dataset.name!r} has none."
        )
    kept = dataset.select(np.flatnonzero(dataset.splits != "val"))
    splits = np.where(kept.splits == "test", "val", kept.splits)
    step = "test is val: figures of this split are of faces that the epoch was selected on"
    return dataclasses.replace(kept, splits=splits, history=(*kept.history, step))
