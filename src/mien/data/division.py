"""Which split each face gets, and the sentence that says how."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from mien.data.balance import balanced_test
from mien.data.dataset import FaceDataset
from mien.data.split import Keep, divide, divide_rest, folds, val_of_train
from mien.recipe.data import PARTS, shares_of


class Division(NamedTuple):
    """A dataset's division.

    Attributes:
        names: The split, or the fold, of each face; "" for one that is left out.
        how: How it was made, for the dataset's history.
    """

    names: list[str]
    how: str


def by_ratio(dataset: FaceDataset, ratio: str, keep: Keep, seed: int) -> Division:
    """Divide by two or three shares, such as 80:20 for train and test.

    Raises:
        DataError: If the dataset cannot be divided so.
    """
    shares = shares_of(ratio)
    parts = divide(dataset, shares, keep, seed)
    how = f"split {ratio} with seed {seed}, keeping {keep} together"
    return Division([PARTS[len(shares)][part] for part in parts], how)


def with_balanced_test(
    dataset: FaceDataset, count: int, ratio: str, keep: Keep, seed: int
) -> Division:
    """Take so many faces of each class as test; divide the rest into train and val.

    Args:
        dataset: Labelled faces.
        count: Of each class.
        ratio: Two shares, such as 90:10; with another number of them there is no val.
        keep: What is not divided; what may not be parted from test is left out.
        seed: Of the choice.

    Raises:
        DataError: If a class has fewer, or the rest cannot be divided.
    """
    test = balanced_test(dataset, count, seed)
    parts = divide_rest(dataset, test, shares_of(ratio) or [1.0], keep, seed)
    names = ["test" if t else ("train", "val", "")[part] for t, part in zip(test, parts)]
    how = (
        f"{count} of each class as test, the rest train:val {ratio}, with seed {seed}, keeping"
        f" {keep} together"
    )
    return Division(names, how)


def with_val(dataset: FaceDataset, share: float, keep: Keep, seed: int) -> Division:
    """Make a share of train val; test stays as it is.

    Raises:
        DataError: If there is no train, or it cannot be divided so.
    """
    splits, bound = val_of_train(dataset, share, keep, seed)
    names = splits.tolist()
    how = f"{share:g} of train made val with seed {seed}, keeping {keep} together"
    if bound:
        how += f"; {bound} stayed in train for {keep} that are in test, too"
    return Division(names, how)


def in_folds(dataset: FaceDataset, count: int, keep: Keep, seed: int) -> Division:
    """Divide into folds, by number.

    Raises:
        DataError: If the dataset cannot be divided so.
    """
    parts = folds(dataset, count, keep, seed)
    how = f"{count} folds with seed {seed}, keeping {keep} together"
    return Division([str(part) for part in parts], how)


def divided(dataset: FaceDataset, division: Division) -> FaceDataset:
    """Return the dataset with these splits; faces that are left out are dropped, and counted."""
    names = np.array(division.names, dtype=np.str_)
    inside = np.flatnonzero(names != "")
    kept, how = dataset, division.how
    if len(inside) < len(dataset):
        kept = dataset.select(inside)
        how += f"; {len(dataset) - len(inside)} left out"
    return dataclasses.replace(kept, splits=names[inside], history=(*dataset.history, how))
