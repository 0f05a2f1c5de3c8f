"""Near-copies: images whose grey values correlate so highly that one gives the other away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mien.data.audit import CHECKS, Finding, Result
from mien.data.audit.evidence import Evidence
from mien.data.dataset import NO_TARGET, FaceDataset
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

NONE = np.iinfo(np.intp).max
"""Stands for the position of no image; it is larger than all."""

Pairs = tuple[NDArray[np.intp], NDArray[np.float32]]
"""Positions (M, 2) and correlations (M,)."""

EXPLANATION = (
    f"Pairs of different images whose pixels correlate by {THRESHOLD} or more after brightness and"
    f" contrast are taken out, larger ones being shrunk to {USUAL_SIDE} pixels for that: the same"
    " photo stored twice, cropped or compressed a little differently, or neighbouring frames of a"
    " video. Pixel-identical pairs are not counted here. Mirrored and shifted copies are not found."
    " Of near-copies with one label dropping keeps the first, and one without a label goes for one"
    " that has one. Where labels differ both are listed, and neither goes for the other: two frames"
    " of a video may show two expressions, and of one photo nobody knows which label is right."
    " Images of train with a near-copy in val or test are marked whatever their labels, and never"
    " kept for another."
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
        copies = near.copies.numbers()
        kept = {_kept(near, part) for group in groups for part in _parts(group, copies)}
        findings = [
            Finding(NAME, index, number, closest[index], index not in kept, near.note(index))
            for number, group in enumerate(groups)
            for index in group
        ]
        return Result(NAME, "Near-copies", EXPLANATION, near.counts(groups), tuple(findings))


def _parts(group: list[int], copies: NDArray[np.intp]) -> list[list[int]]:
    """Divide a group of near-copies into those that are copies with one label."""
    parts = groups_of(copies[group].tolist()).values()
    return [[group[place] for place in part] for part in parts]


def _kept(near: _Near, part: list[int]) -> int | None:
    """Return the face of some copies that is kept: the first with a label, else the first.

    Faces of train with a near-copy in val or test are not kept; None where there are no others.
    """
    may_stay = [index for index in part if not near.leaking[index]]
    labelled = [index for index in may_stay if near.dataset.targets[index] != NO_TARGET]
    return next(iter(labelled + may_stay), None)


class _Near:
    """What is known of near-copies after some blocks: a few numbers an image, and no pairs.

    Attributes:
        dataset: What it is of.
        numbers: (N,), the group each image is in, whatever the labels.
        closest: float32 (N,), each image's largest correlation with a near-copy.
        copies: Which of them have one label.
        leaking: bool (N,), the images of train with a near-copy in val or test.
    """

    def __init__(self, dataset: FaceDataset) -> None:
        self.dataset = dataset
        self._twins = twin_groups(dataset.images)
        self._pairs = 0
        self._leaks, self.leaking = np.zeros((2, len(dataset)), dtype=bool)
        self._train = dataset.splits == "train"
        self._judged = np.isin(dataset.splits, ["val", "test"])
        self.numbers = np.arange(len(dataset))
        self.closest = np.zeros(len(dataset), dtype=np.float32)
        self.copies = _Copies(dataset.targets)

    def add(self, pairs: NDArray[np.intp], values: NDArray[np.float32]) -> None:
        """Add pairs (M, 2) and their correlations (M,); twins do not count."""
        different = self._twins[pairs[:, 0]] != self._twins[pairs[:, 1]]
        pairs, values = pairs[different], values[different]
        self._pairs += len(pairs)
        self.numbers = joined(self.numbers, pairs)
        self.copies.add(pairs)
        for one, other in (pairs.T, pairs.T[::-1]):
            np.maximum.at(self.closest, one, values)
            self._leaks[one[self._train[other]]] = True
            self.leaking[one[self._train[one] & self._judged[other]]] = True

    def note(self, index: int) -> str:
        """Return what was found of an image, for people."""
        note, other = f"r = {self.closest[index]:.3f}", self.copies.others[index]
        if self.leaking[index]:
            note += "; a near-copy is in val or test"
        if other == NONE:
            return note
        face = self.dataset[other]
        return f"{note}; {face.id} is like it and labelled {face.expression}"

    def counts(self, groups: list[list[int]]) -> dict[str, int]:
        """Return how many there are, and of which splits."""
        labels = [set(self.dataset.targets[group].tolist()) - {NO_TARGET} for group in groups]
        counts = {
            "pairs": self._pairs,
            "groups": len(groups),
            "images in them": sum(map(len, groups)),
            "pairs with different labels": self.copies.differing,
            "groups with different labels": sum(len(found) > 1 for found in labels),
        }
        for split in ("val", "test"):
            inside = self.dataset.splits == split
            if inside.any():
                near = int((self._leaks & inside).sum())
                counts[f"images of {split} with a near-copy in train"] = near
        return counts


class _Copies:
    """Which near-copies have one label, so that one of them can go for the other.

    Args:
        targets: int64 (N,), of all images.

    Attributes:
        differing: How many pairs have different labels.
        others: (N,), the first near-copy of another label than the image's; `NONE` for none.
    """

    def __init__(self, targets: NDArray[np.int64]) -> None:
        self._targets = targets
        self._numbers = np.arange(len(targets))
        self._labelled, self.others = np.full((2, len(targets)), NONE)
        self.differing = 0

    def add(self, pairs: NDArray[np.intp]) -> None:
        """Add pairs (M, 2) of near-copies."""
        one, other = self._targets[pairs].T
        self._numbers = joined(self._numbers, pairs[one == other])
        without = pairs[(one == NO_TARGET) & (other != NO_TARGET)]
        with_one = pairs[(one != NO_TARGET) & (other == NO_TARGET), ::-1]
        for unlabelled, labelled in (without.T, with_one.T):
            np.minimum.at(self._labelled, unlabelled, labelled)
        differing = pairs[(one != other) & (one != NO_TARGET) & (other != NO_TARGET)]
        self.differing += len(differing)
        for first, second in (differing.T, differing.T[::-1]):
            np.minimum.at(self.others, first, second)

    def numbers(self) -> NDArray[np.intp]:
        """Return the group each image is in, (N,); the labels of a group are one.

        Those without a label go with the first labelled one that any of them is like, as a whole:
        through them no two labels come together.
        """
        firsts = np.full(len(self._numbers), NONE)
        np.minimum.at(firsts, self._numbers, self._labelled)
        groups = np.flatnonzero(firsts != NONE)
        return joined(self._numbers, np.stack([groups, firsts[groups]], axis=1))


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
