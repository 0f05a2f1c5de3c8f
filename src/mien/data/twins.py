"""Pixel-identical images, within a dataset and across its splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import FaceDataset
from mien.data.sample import Split


def twin_groups(images: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return a group number for each image; pixel-identical images share one.

    Args:
        images: uint8 (N, H, W).

    Returns:
        (N,), group numbers from 0 in order of first appearance.
    """
    numbers: dict[bytes, int] = {}
    digests = (
        hashlib.blake2b(np.ascontiguousarray(i).data, digest_size=16).digest() for i in images
    )
    return np.array([numbers.setdefault(d, len(numbers)) for d in digests], dtype=np.intp)


def training_twins(dataset: FaceDataset) -> NDArray[np.bool_]:
    """Return which faces of train have an identical image in val or test: bool (N,)."""
    return np.asarray((dataset.splits == "train") & twins_in(dataset, ["val", "test"]))


def twins_in(dataset: FaceDataset, splits: Iterable[Split]) -> NDArray[np.bool_]:
    """Return, for each face, whether an identical image stands in one of `splits`.

    A face of such a split counts as having a twin there only if another face of that split, or of
    another of the splits, is identical to it.

    Returns:
        bool (N,).
    """
    groups = twin_groups(dataset.images)
    there = np.isin(dataset.splits, list(splits))
    counts = np.bincount(groups[there], minlength=groups.max() + 1)
    return (counts[groups] - there) > 0
