"""Near-copies: images whose grey values correlate so highly that one gives the other away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mien.data.audit import CHECKS, Finding, Result
from mien.data.audit.evidence import Evidence
from mien.data.dataset import FaceDataset
from mien.data.groups import groups_of, joined
from mien.data.twins import twin_groups

NAME = "similar"

THRESHOLD = 0.93
"""Smallest correlation of a near-copy. In CK+48, whose faces are aligned, no images of two people
correlate so highly, while 208 pairs reach .90; sampled pairs of FER2013 from .93 on were one photo
each."""

BLOCK = 2048
"""Images compared with each other at once: 16 MB of correlations."""

EXPLANATION = (
    f"Pairs of different images whose pixels correlate by {THRESHOLD} or more after brightness and"
    " contrast are taken out: the same photo stored twice, cropped or compressed a little"
    " differently, or neighbouring frames of a video. Pixel-identical pairs are not counted here."
    " Mirrored and shifted copies are not found. Dropping keeps the first of each group."
)


@CHECKS.register(NAME)
class Similar:
    """Finds near-copies over all pairs, in blocks: O(N²) time, O(N) memory."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return the groups of near-copies, the most alike first."""
        pairs, values = similar_pairs(dataset.images, THRESHOLD, progress=progress)
        twins = twin_groups(dataset.images)
        different = twins[pairs[:, 0]] != twins[pairs[:, 1]]
        pairs, values = pairs[different], values[different]
        closest = _closest(pairs, values)
        groups = [g for g in groups_of(joined(len(dataset), pairs.tolist())).values() if len(g) > 1]
        groups.sort(key=lambda group: -max(closest[index] for index in group))
        findings = [
            Finding(NAME, index, number, closest[index], place > 0, f"r = {closest[index]:.3f}")
            for number, group in enumerate(groups)
            for place, index in enumerate(group)
        ]
        counts = _counts(dataset, pairs, groups)
        return Result(NAME, "Near-copies", EXPLANATION, counts, tuple(findings))


def similar_pairs(
    images: NDArray[np.uint8], threshold: float, *, progress: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return all pairs of images that correlate by at least `threshold`.

    Images of one grey value correlate with nothing.

    Args:
        images: uint8 (N, H, W).
        threshold: From 0 to 1.
        progress: Whether to show a bar.

    Returns:
        (M, 2) positions with the first smaller than the second, and (M,) correlations.
    """
    rows = _normalised(images)
    blocks = list(_blocks(len(rows)))
    console = Console(stderr=True)
    found = [
        _above(rows, first, second, threshold)
        for first, second in track(
            blocks, "Comparing all pairs", console=console, disable=not progress
        )
    ]
    pairs, values = zip(*found)
    return np.concatenate(pairs), np.concatenate(values)


def _normalised(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, lengths, out=rows, where=lengths > 0)
    return rows


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    for first in range(0, count, BLOCK):
        for second in range(first, count, BLOCK):
            yield first, second


def _above(
    rows: NDArray[np.float32], first: int, second: int, threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    correlations = rows[first : first + BLOCK] @ rows[second : second + BLOCK].T
    one, other = np.nonzero(correlations >= threshold)
    values = correlations[one, other]
    pairs = np.stack([one + first, other + second], axis=1)
    upper = pairs[:, 0] < pairs[:, 1]
    return pairs[upper], values[upper]


def _closest(pairs: NDArray[np.intp], values: NDArray[np.float32]) -> dict[int, float]:
    closest: dict[int, float] = {}
    for (one, other), value in zip(pairs.tolist(), values.tolist()):
        for index in (one, other):
            closest[index] = max(closest.get(index, 0.0), value)
    return closest


def _counts(
    dataset: FaceDataset, pairs: NDArray[np.intp], groups: list[list[int]]
) -> dict[str, int]:
    counts = {"pairs": len(pairs), "groups": len(groups), "images in them": sum(map(len, groups))}
    both_ways = np.concatenate([pairs, pairs[:, ::-1]])
    splits = dataset.splits[both_ways]
    for split in ("val", "test"):
        if (dataset.splits == split).any():
            leaks = (splits[:, 0] == split) & (splits[:, 1] == "train")
            near = len(np.unique(both_ways[leaks, 0]))
            counts[f"images of {split} with a near-copy in train"] = near
    return counts
