"""The faces that are pasted into scenes, and what a model says of crops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from crop_parity_scenes import SIZES, Scene, scene
from numpy.typing import NDArray

from mien.data.dataset import FaceDataset
from mien.data.readers import read_dataset
from mien.data.sizes import of_side
from mien.evaluation.metrics import Probabilities, Truth
from mien.inference.classifier import Classifier
from mien.labels import LabelSet
from mien.preprocess import Image


@dataclass(frozen=True)
class Setting:
    """How faces are pasted.

    Args:
        side: Of the pasted crop in pixels; None for all of `SIZES` in turn.
        tilt: Degrees by which faces are turned, clockwise and back in turn.
    """

    side: int | None = None
    tilt: int = 0

    def scenes(self, images: Image) -> Iterator[Scene]:
        """Give a scene for each crop, uint8 (N, S, S)."""
        for number, image in enumerate(images):
            # All sizes with both directions: the direction changes after each round of sizes.
            side = self.side or SIZES[number % len(SIZES)]
            direction = 1 if number // len(SIZES) % 2 else -1
            yield scene(image, number, side, direction * self.tilt)

    @property
    def name(self) -> str:
        size = f"{self.side} px" if self.side else "all sizes"
        return f"{size}, ±{self.tilt}°" if self.tilt else size


@dataclass(frozen=True)
class Faces:
    """N labelled crops, all of one split of a dataset.

    Args:
        name: Of dataset and split.
        labels: What is chosen among.
        images: uint8 (N, S, S), grey.
        truth: int64 (N,), index into `labels`.
        groups: str (N,), what the bootstrap draws together.
    """

    name: str
    labels: LabelSet
    images: Image
    truth: Truth
    groups: NDArray[np.str_]


def fer2013(dataset: FaceDataset, split: str, name: str, count: int) -> Faces:
    """Return the first faces of a split of FER2013."""
    return _faces(dataset.select(np.flatnonzero(dataset.splits == split)[:count]), name)


def ckplus(path: Path, count: int) -> Faces:
    """Return faces of CK+48 at equal distances: it is sorted by class."""
    dataset = read_dataset(path)
    places = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(np.intp)
    return _faces(dataset.select(places), "CK+48")


def _faces(dataset: FaceDataset, name: str) -> Faces:
    known = (dataset.subjects != "").all()
    groups = dataset.subjects if known else dataset.ids
    return Faces(name, dataset.labels, dataset.images, dataset.targets, groups)


def shares(classifier: Classifier, crops: Image, labels: LabelSet) -> Probabilities:
    """Return a model's probabilities, float64 (N, C), of the expressions of a label set.

    They come from the smallest of its outputs that has them all, divided among them.
    """
    wanted = set(labels.expressions)
    heads = [head for head in classifier.card.heads if wanted <= set(head.expressions)]
    head = min(heads, key=lambda head: len(head.expressions))
    sized = of_side(crops, classifier.card.preprocess.size)
    found = classifier.classify(sized, head.name)[:, labels.positions_in(head.labels)]
    return found / found.sum(axis=1, keepdims=True)
