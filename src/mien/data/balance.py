"""Making classes equal, and datasets one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import FaceDataset
from mien.errors import DataError
from mien.labels import VOTES


def at_most(dataset: FaceDataset, count: int | None, seed: int) -> FaceDataset:
    """Return at most `count` random faces of each class; None takes the smallest class's size.

    Faces without a label go. The order of the rest stays.

    Raises:
        DataError: If `count` is not positive, or no face has a label.
    """
    sizes = _sizes(dataset)
    if not sizes.any():
        raise DataError(f"Dataset {dataset.name!r} has no labelled face: it has no classes.")
    wanted = int(sizes[sizes > 0].min()) if count is None else count
    _check_count(wanted)
    picked = np.sort(_pick(dataset, np.minimum(sizes, wanted), seed))
    step = f"at most {wanted} of each class with seed {seed}: {len(dataset) - len(picked)} dropped"
    return dataset.select(picked, step)


def at_least(dataset: FaceDataset, count: int, seed: int) -> FaceDataset:
    """Return the dataset with faces repeated until each class has `count` of them in train.

    Only faces of the split "train" are counted and repeated, or all where there are no splits: a
    repeated face of val or test would count twice. Copies get the id of their face and a number,
    such as "a#2". Classes without any face stay empty.

    Raises:
        DataError: If `count` is not positive, or a class has faces but none in train.
    """
    _check_count(count)
    copies = [_copies(dataset, target, count, seed) for target in range(len(dataset.labels))]
    chosen = np.concatenate([np.arange(len(dataset)), *copies])
    step = f"at least {count} of each class with seed {seed}: {sum(map(len, copies))} repeated"
    return dataset.select(chosen, step, _numbered(dataset.ids[chosen]))


def repeated_id(name: str, number: int) -> str:
    """Return the id of a face's copy; the face itself is the first."""
    return f"{name}#{number}"


def balanced_test(dataset: FaceDataset, count: int, seed: int) -> NDArray[np.bool_]:
    """Return a mask (N,) of `count` random faces of each class: a test in which all count alike.

    Raises:
        DataError: If `count` is not positive, or a class has fewer; names it.
    """
    _check_count(count)
    sizes = _sizes(dataset)
    for expression, size in zip(dataset.labels.expressions, sizes):
        if size < count:
            raise DataError(
                f"A balanced test needs {count} faces of each class."
                f" Dataset {dataset.name!r} has {size} of {expression}."
            )
    mask = np.zeros(len(dataset), dtype=bool)
    mask[_pick(dataset, np.full(len(sizes), count), seed)] = True
    return mask


def combine(name: str, datasets: Sequence[FaceDataset]) -> FaceDataset:
    """Return several datasets as one; each face keeps its source, and its id follows it.

    Votes are kept if any has them: faces of the others have none, all zeros.

    Raises:
        DataError: If two have one name, or label sets or sizes of the images differ.
    """
    _check_names([dataset.name for dataset in datasets])
    first = datasets[0]
    for other in datasets[1:]:
        if other.labels != first.labels or other.images.shape[1:] != first.images.shape[1:]:
            raise DataError(
                f"Datasets {first.name!r} and {other.name!r} cannot be combined: label set and size"
                f" are {_form(first)} and {_form(other)}. --labels brings all into one label set,"
                " one --size of mien data prepare all photos into one size."
            )
    return FaceDataset(
        name=name,
        labels=first.labels,
        images=np.concatenate([d.images for d in datasets]),
        targets=np.concatenate([d.targets for d in datasets]),
        splits=np.concatenate([d.splits for d in datasets]),
        subjects=np.concatenate([_prefixed(d, d.subjects) for d in datasets]),
        sources=np.concatenate([d.sources for d in datasets]),
        ids=np.concatenate([_prefixed(d, d.ids) for d in datasets]),
        votes=_votes(datasets),
        history=tuple(f"{d.name}: {step}" for d in datasets for step in (*d.history, "combined")),
    )


def _check_names(names: Sequence[str]) -> None:
    """Refuse a name that occurs twice: subject 01 of the one would become 01 of the other."""
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(
            "Combined datasets are told apart by name, as are their subjects. Got"
            f" {repeated!r} more than once: mien data convert --as gives a dataset another name."
        )


def _votes(datasets: Sequence[FaceDataset]) -> NDArray[np.uint8] | None:
    """Return the votes of all faces, (N, 10); None if no dataset has any."""
    if all(d.votes is None for d in datasets):
        return None
    none = [np.zeros((len(d), len(VOTES)), dtype=np.uint8) for d in datasets]
    return np.concatenate([n if d.votes is None else d.votes for d, n in zip(datasets, none)])


def _check_count(count: int) -> None:
    if count < 1:
        raise DataError(f"The number of faces per class must be 1 or more. Got {count} instead.")


def _sizes(dataset: FaceDataset) -> NDArray[np.intp]:
    labelled = dataset.targets[dataset.targets >= 0]
    return np.bincount(labelled, minlength=len(dataset.labels))


def _copies(dataset: FaceDataset, target: int, count: int, seed: int) -> NDArray[np.intp]:
    """Return positions of faces to repeat: each as often as the others, give or take one."""
    members = dataset.targets == target
    # Beside others' splits, a face without one is not trained on.
    split = "train" if (dataset.splits != "").any() else ""
    repeatable = np.flatnonzero(members & (dataset.splits == split))
    lacking = count - len(repeatable)
    if lacking <= 0 or not members.any():
        return np.empty(0, dtype=np.intp)
    if len(repeatable) == 0:
        raise DataError(
            f"Dataset {dataset.name!r} has no {dataset.labels.expressions[target]} in train to"
            f" repeat until there are {count}."
        )
    generator = np.random.default_rng((seed, target))
    return np.resize(generator.permutation(repeatable), lacking)


def _numbered(ids: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return ids in which the second, third, … occurrence of one carries a number that is free."""
    seen: Counter[str] = Counter()
    taken, numbered = set(ids.tolist()), []
    for name in ids.tolist():
        seen[name] += 1
        own = name
        while seen[name] > 1 and own in taken:
            own = repeated_id(name, seen[name])
            seen[name] += own in taken
        taken.add(own)
        numbered.append(own)
    return np.array(numbered, dtype=np.str_)


def _pick(dataset: FaceDataset, counts: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    generator = np.random.default_rng(seed)
    picks = [
        generator.permutation(np.flatnonzero(dataset.targets == target))[:count]
        for target, count in enumerate(counts)
    ]
    return np.concatenate(picks)


def _prefixed(dataset: FaceDataset, values: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return values with the dataset's name before them, so that they stay distinct."""
    return np.array([f"{dataset.name}/{v}" if v else "" for v in values], dtype=np.str_)


def _form(dataset: FaceDataset) -> str:
    height, width = dataset.images.shape[1:]
    return f"{dataset.labels.name} {width}x{height}"
