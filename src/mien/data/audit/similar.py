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
from mien.data.sizes import USUAL_SIDE, of_usual_side
from mien.data.twins import twin_groups

NAME = "similar"

THRESHOLD = 0.93
"""Smallest correlation of a near-copy. In CK+48, whose faces are aligned, no images of two people
correlate so highly, while 208 pairs reach .90; sampled pairs of FER2013 from .93 on were one photo
each."""

BLOCK = 2048
"""Images compared with each other at once: 16 MB of correlations."""

Pairs = tuple[NDArray[np.intp], NDArray[np.float32]]
"""Positions (M, 2) and correlations (M,)."""

EXPLANATION = (
    f"Pairs of different images whose pixels correlate by {THRESHOLD} or more after brightness and"
    f" contrast are taken out, larger ones being shrunk to {USUAL_SIDE} pixels for that: the same"
    " photo stored twice, cropped or compressed a little differently, or neighbouring frames of a"
    " video. Pixel-identical pairs are not counted here. Mirrored and shifted copies are not found."
    " Dropping keeps the first of each group."
)


@CHECKS.register(NAME)
class Similar:
    """Finds near-copies over all pairs, in blocks: O(N²) time, O(N) memory."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return the groups of near-copies, the most alike first."""
        near, images = _Near(dataset), of_usual_side(dataset.images)
        for pairs, values in similar_pairs(images, THRESHOLD, progress=progress):
            near.add(pairs, values)
        groups = [g for g in groups_of(near.numbers.tolist()).values() if len(g) > 1]
        closest = near.closest.tolist()
        groups.sort(key=lambda group: -max(closest[index] for index in group))
        findings = [
            Finding(NAME, index, number, closest[index], place > 0, f"r = {closest[index]:.3f}")
            for number, group in enumerate(groups)
            for place, index in enumerate(group)
        ]
        return Result(NAME, "Near-copies", EXPLANATION, near.counts(groups), tuple(findings))


class _Near:
    """What is known of near-copies after some blocks: a few numbers an image, and no pairs.

    Attributes:
        numbers: (N,), the group each image is in.
        closest: float32 (N,), each image's largest correlation with a near-copy.
    """

    def __init__(self, dataset: FaceDataset) -> None:
        self._splits = dataset.splits
        self._twins = twin_groups(dataset.images)
        self._pairs = 0
        self._leaks = np.zeros(len(dataset), dtype=bool)
        self.numbers = np.arange(len(dataset))
        self.closest = np.zeros(len(dataset), dtype=np.float32)

    def add(self, pairs: NDArray[np.intp], values: NDArray[np.float32]) -> None:
        """Add pairs (M, 2) and their correlations (M,); twins do not count."""
        different = self._twins[pairs[:, 0]] != self._twins[pairs[:, 1]]
        pairs, values = pairs[different], values[different]
        self._pairs += len(pairs)
        self.numbers = joined(self.numbers, pairs)
        for one, other in (pairs.T, pairs.T[::-1]):
            np.maximum.at(self.closest, one, values)
            self._leaks[one[self._splits[other] == "train"]] = True

    def counts(self, groups: list[list[int]]) -> dict[str, int]:
        """Return how many there are, and of which splits."""
        counts = {
            "pairs": self._pairs,
            "groups": len(groups),
            "images in them": sum(map(len, groups)),
        }
        for split in ("val", "test"):
            inside = self._splits == split
            if inside.any():
                near = int((self._leaks & inside).sum())
                counts[f"images of {split} with a near-copy in train"] = near
        return counts


def similar_pairs(
    images: NDArray[np.uint8], threshold: float, *, progress: bool = False
) -> Iterator[Pairs]:
    """Give all pairs of images that correlate by at least `threshold`, block by block.

    Images of one grey value correlate with nothing.

    Args:
        images: uint8 (N, H, W).
        threshold: From 0 to 1.
        progress: Whether to show a bar.

    Yields:
        (M, 2) positions with the first smaller than the second, and (M,) correlations.
    """
    rows = _normalised(images)
    blocks = list(_blocks(len(rows)))
    console = Console(stderr=True)
    for first, second in track(
        blocks, "Comparing all pairs", console=console, disable=not progress
    ):
        yield _above(rows, first, second, threshold)


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


def _above(rows: NDArray[np.float32], first: int, second: int, threshold: float) -> Pairs:
    correlations = rows[first : first + BLOCK] @ rows[second : second + BLOCK].T
    one, other = np.nonzero(correlations >= threshold)
    values = correlations[one, other]
    pairs = np.stack([one + first, other + second], axis=1)
    upper = pairs[:, 0] < pairs[:, 1]
    return pairs[upper], values[upper]
