"""Looking for a face in crops: a quick look, a model's opinion, and a closer look at the rest."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mien.data.dataset import FaceDataset
from mien.data.sizes import of_side
from mien.inference.classifier import Classifier
from mien.inference.detectors import Detector
from mien.preprocess import Image

UNSURE = 0.7
"""Entropy of the model's probabilities, over its largest possible, from which it is unsure."""

QUICK = (48, 0.15)
"""Side in pixels and rim, over the side, of the picture a crop is shown in first: 1 ms with Haar,
which then finds 65 % of FER2013's faces."""

CLOSE = (144, 0.5)
"""The same for the closer look, 15 ms with Haar: it finds 75 % and YuNet 94 %."""


def faceless(
    dataset: FaceDataset,
    detectors: Sequence[Detector],
    classifier: Classifier,
    *,
    progress: bool = False,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the images in which no detector finds a face and of which the model is unsure.

    Args:
        dataset: Faces as crops.
        detectors: At least one; the first has the quick look.
        classifier: Its output with the dataset's expressions is read, else its first.
        progress: Whether to show bars.

    Returns:
        (M,) positions and entropies of the model's probabilities from 0 to 1, the largest first.
    """
    shown = "Looking for faces"
    left = _without(dataset.images, range(len(dataset)), detectors[:1], QUICK, shown, progress)
    entropies = _entropies(dataset, left, classifier, progress)
    unsure = left[entropies >= UNSURE]
    # The last detector, YuNet if it is there, is quicker on large pictures and finds more.
    closer = detectors[::-1]
    found = _without(dataset.images, unsure.tolist(), closer, CLOSE, "Looking closer", progress)
    values = entropies[np.isin(left, found)]
    order = np.argsort(-values, kind="stable")
    return found[order], values[order]


def scene(crop: Image, side: int, rim: float) -> Image:
    """Return a crop in the middle of a larger picture whose background repeats its edge.

    A detector needs some surroundings, and faces of more than 24 pixels.

    Args:
        crop: uint8 (H, W), grey.
        side: The longer side to which the crop is brought, in pixels.
        rim: Width of the background on each side, over `side`.
    """
    factor = side / max(crop.shape)
    size = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    large = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC)
    edge = round(side * rim)
    framed = cv2.copyMakeBorder(large, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    return np.asarray(framed, dtype=np.uint8)


def _without(
    images: NDArray[np.uint8],
    which: Sequence[int],
    detectors: Sequence[Detector],
    look: tuple[int, float],
    shown: str,
    progress: bool,
) -> NDArray[np.intp]:
    steps = track(which, shown, console=Console(stderr=True), disable=not progress)
    return np.array(
        [i for i in steps if not _has_face(scene(images[i], *look), detectors)], dtype=np.intp
    )


def _has_face(picture: Image, detectors: Sequence[Detector]) -> bool:
    return any(detector.detect(picture) for detector in detectors)


def _entropies(
    dataset: FaceDataset, which: NDArray[np.intp], classifier: Classifier, progress: bool
) -> NDArray[np.float64]:
    """Return the entropy, over its largest possible, of the probabilities: (len(which),)."""
    size = classifier.card.preprocess.size
    heads = {head.expressions: head.name for head in classifier.card.heads}
    head = heads.get(dataset.labels.expressions)
    blocks = [which[start : start + 256] for start in range(0, len(which), 256)]
    steps = track(blocks, "Asking the model", console=Console(stderr=True), disable=not progress)
    values = [_entropy(classifier.classify(of_side(dataset.images[b], size), head)) for b in steps]
    return np.concatenate([np.empty(0), *values])


def _entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    logs = np.log(np.maximum(probabilities, 1e-300))
    return np.asarray(-(probabilities * logs).sum(axis=1) / np.log(probabilities.shape[1]))
