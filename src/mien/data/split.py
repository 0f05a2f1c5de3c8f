"""Dividing a dataset: by ratio or into folds, stratified, and never through a group.

A group is whatever must not stand on two sides: the pixel-identical copies of an image, or all
images of a subject. Faces without a group are groups of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import FaceDataset
from mien.data.groups import joined
from mien.data.twins import twin_groups
from mien.errors import DataError, MienError, unknown_name

Keep = Literal["nothing", "twins", "subjects"]
"""What stays together: nothing, identical images, or all images of a subject and their twins."""

Parts = NDArray[np.intp]
"""(N,): the number of the part each face is in, from 0."""


def known_keep(name: str) -> Keep:
    """Return what stays together by its name.

    Raises:
        MienError: If there is nothing of that name; says what is nearest.
    """
    for keep in get_args(Keep):
        if keep == name:
            return keep  # type: ignore[no-any-return]
    raise MienError(f"--keep: {unknown_name('group', name, get_args(Keep))}")


def check_whole(dataset: FaceDataset, parts: Parts, keep: Keep) -> None:
    """Check that a division that was made elsewhere keeps together what is to be kept.

    Args:
        dataset: N faces.
        parts: (N,), below 0 for faces in no part.
        keep: What must not be divided.

    Raises:
        DataError: If it divides something, or subjects are to be kept together and unknown.
    """
    groups = _groups(dataset, keep)
    places = np.unique(np.stack([groups, parts], axis=1)[parts >= 0], axis=0)
    divided = int((np.bincount(places[:, 0]) > 1).sum())
    if divided:
        raise DataError(
            f"The split of dataset {dataset.name!r} was to keep {keep} together and divides"
            f" {divided} of {groups.max() + 1} groups of them: make another, with --keep {keep}."
        )


def check_subjects(dataset: FaceDataset) -> None:
    """Check that nobody is in two of the splits that a dataset came with.

    Raises:
        DataError: If somebody is, or of some faces it is not known whom they show.
    """
    known = np.unique(_known_subjects(dataset), return_inverse=True)[1]
    inside = dataset.splits != ""
    splits = np.unique(dataset.splits, return_inverse=True)[1]
    places = np.unique(np.stack([known, splits], axis=1)[inside], axis=0)
    divided = int((np.bincount(places[:, 0]) > 1).sum())
    if divided:
        raise DataError(
            f"The splits of dataset {dataset.name!r} must keep subjects together and divide"
            f" {divided} of {known.max() + 1}: make others, with mien data split --keep subjects."
        )


def check_sources(dataset: FaceDataset) -> None:
    """Check that of datasets that were put together not only some came with splits.

    Raises:
        DataError: If one has none beside others: its faces would be left out in silence.
    """
    sources, without = np.unique(dataset.sources), dataset.splits == ""
    counts = {str(source): int((dataset.sources == source).sum()) for source in sources}
    bare = [s for s, count in counts.items() if without[dataset.sources == s].sum() == count]
    if 0 < len(bare) < len(counts):
        raise DataError(
            f"Dataset {bare[0]!r} has no splits and others of {dataset.name!r} have: its"
            f" {counts[bare[0]]} faces would be left out; a ratio divides all, such as data.split ="
            ' "80:10:10".'
        )


def divide(dataset: FaceDataset, shares: Sequence[float], keep: Keep, seed: int) -> Parts:
    """Divide a dataset into parts of given shares, each class alike, as far as groups allow.

    Args:
        dataset: At least as many groups as parts.
        shares: The parts' sizes relative to each other, such as (80, 18, 2).
        keep: What is not divided.
        seed: Decides among equally good divisions; the same seed gives the same parts.

    Raises:
        DataError: If a share is not positive, there are fewer groups than parts, or subjects are
            to be kept together and unknown.
    """
    if len(shares) < 2 or not all(0 < share < np.inf for share in shares):
        raise DataError(
            f"The shares of a split must be two or more positive numbers. Got {shares}."
        )
    groups = _groups(dataset, keep)
    if groups.max() + 1 < len(shares):
        raise DataError(
            f"Dataset {dataset.name!r} cannot be divided into {len(shares)} parts without dividing"
            f" {keep}: it has {groups.max() + 1} of them."
        )
    wanted = np.asarray(shares, float) / sum(shares)
    return _assign(_class_counts(dataset, groups), wanted, np.random.default_rng(seed))[groups]


def folds(dataset: FaceDataset, count: int, keep: Keep, seed: int) -> Parts:
    """Divide a dataset into `count` folds of equal size.

    Raises:
        DataError: If `count` is larger than the number of groups or the smallest class.
    """
    sizes = np.bincount(dataset.targets[dataset.targets >= 0])
    smallest = int(sizes[sizes > 0].min(initial=len(dataset)))
    if not 2 <= count <= smallest:
        raise DataError(
            f"The number of folds must be 2 to the size of the smallest class, {smallest}."
            f" Got {count} instead."
        )
    return divide(dataset, [1.0] * count, keep, seed)


def divide_rest(
    dataset: FaceDataset, taken: NDArray[np.bool_], shares: Sequence[float], keep: Keep, seed: int
) -> Parts:
    """Divide the faces that are not taken, such as those outside a balanced test.

    Returns:
        (N,): the number of the part each face is in; -1 for a taken face, and for one that must not
        be parted from a taken one.

    Raises:
        DataError: As `divide` does.
    """
    free = _apart(_groups(dataset, keep), taken)
    parts = np.full(len(dataset), -1, dtype=np.intp)
    if len(shares) == 1:
        parts[free] = 0
    elif len(free):
        parts[free] = divide(dataset.select(free), shares, keep, seed)
    return parts


def val_of_train(
    dataset: FaceDataset, share: float, keep: Keep, seed: int
) -> tuple[NDArray[np.str_], int]:
    """Make a share of the training faces val; test stays as it is.

    Args:
        dataset: Faces with the split "train", and "test" or none beside it.
        share: Of the training faces, above 0 and below 1.
        keep: What is not divided between train and val.
        seed: As for `divide`.

    Returns:
        The new splits, str (N,), and how many faces had to stay in train as they must not be parted
        from a test face.

    Raises:
        DataError: If there is val already or no train, too few training faces are apart from test,
            or as `divide` does.
    """
    _check_train_alone(dataset)
    inside = np.flatnonzero(dataset.splits != "")
    faces = dataset.select(inside)
    free = _apart(_groups(faces, keep), faces.splits == "test")
    count = int((faces.splits == "train").sum())
    if share * count >= len(free):
        raise DataError(
            f"Dataset {dataset.name!r} has {count} training faces, and only {len(free)} of them"
            f" can be made val without parting {keep} of a test face: too few for a share of"
            f" {share:g}."
        )
    parts = divide(faces.select(free), (len(free) - share * count, share * count), keep, seed)
    splits = dataset.splits.copy()
    splits[inside[free[parts == 1]]] = "val"
    return splits, count - len(free)


def _check_train_alone(dataset: FaceDataset) -> None:
    found = set(dataset.splits.tolist())
    if "train" in found and "val" not in found:
        return
    names = ", ".join(sorted(found - {""})) or "none"
    raise DataError(
        f"Dataset {dataset.name!r} must have the split train, and no val, for a share of train to"
        f" become val. Got {names}: --ratio 80:10:10 divides all faces anew."
    )


def _apart(groups: NDArray[np.intp], taken: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the positions of those in whose group nobody is taken."""
    return np.flatnonzero(~np.isin(groups, groups[taken]))


def _groups(dataset: FaceDataset, keep: Keep) -> NDArray[np.intp]:
    if keep == "nothing":
        return np.arange(len(dataset))
    twins = twin_groups(dataset.images)
    if keep == "twins":
        return twins
    subjects = np.unique(_known_subjects(dataset), return_inverse=True)[1]
    return _subjects_with_twins(subjects, twins)


def _known_subjects(dataset: FaceDataset) -> NDArray[np.str_]:
    unknown = int((dataset.subjects == "").sum())
    if unknown:
        raise DataError(
            f"Dataset {dataset.name!r} cannot be split by subject: {unknown} of its"
            f" {len(dataset)} faces have none."
        )
    return dataset.subjects


def _subjects_with_twins(subjects: NDArray[np.intp], twins: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return groups of subjects; two who share an identical image are in one."""
    count = int(subjects.max()) + 1
    pairs = np.stack([subjects, twins + count], axis=1)
    roots = joined(np.arange(count + int(twins.max()) + 1), pairs)
    return np.unique(roots[subjects], return_inverse=True)[1]


def _class_counts(dataset: FaceDataset, groups: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return (groups, classes + 1): how many faces of each class a group holds; last: no label."""
    classes = len(dataset.labels) + 1
    counts = np.zeros((groups.max() + 1, classes), dtype=np.int64)
    np.add.at(counts, (groups, dataset.targets), 1)  # the target -1 is the last column
    return counts


def _assign(
    counts: NDArray[np.int64], shares: NDArray[np.float64], generator: np.random.Generator
) -> Parts:
    """Give each group to the part that lacks most of its classes; large groups choose first.

    Groups of several faces go by what a part lacks of its own share. By the number of faces that it
    lacks, a part of 80 % would take all large groups, and no twin and nobody of whom there are many
    faces would ever be tested. Single faces, among which there are no large ones, do.
    """
    sizes = counts.sum(1)
    weights = 1 / shares if sizes.max() > 1 else np.ones(len(shares))
    totals = np.maximum(counts.sum(0), 1)
    lacking = shares[:, None] * counts.sum(0)
    room = shares * len(counts)
    order = np.lexsort((generator.permutation(len(counts)), -sizes))
    parts = np.empty(len(counts), dtype=np.intp)
    # Where two parts lack the same, the seed decides.
    tie = generator.random((len(counts), len(shares))) * 1e-9
    for group in order:
        lack = lacking @ (counts[group] / totals) + 1e-6 * room / len(counts)
        need = lack * weights + tie[group]
        part = int(need.argmax())
        parts[group] = part
        lacking[part] -= counts[group]
        room[part] -= 1
    return _fill_empty(parts, len(shares))


def _fill_empty(parts: Parts, count: int) -> Parts:
    """Give each part that got nothing a group of the largest part."""
    for part in range(count):
        sizes = np.bincount(parts, minlength=count)
        if sizes[part] == 0:
            parts[np.flatnonzero(parts == sizes.argmax())[-1]] = part
    return parts
