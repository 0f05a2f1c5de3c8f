"""The faces that are to be explained: those in a photo, or some of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.sample import Split
from mien.data.sizes import of_side
from mien.errors import DataError, ImageError, MienError, unknown_name
from mien.explanation.explainer import ExplainedFace, Explainer
from mien.explanation.landmarks import Points, find_landmarks, in_crop, median_landmarks
from mien.inference.detectors import Detector
from mien.inference.face import by_size
from mien.preprocess import Image, Preprocess

PLACES = ("canonical", "median", "own")
"""Where regions are: at their usual places, where the median face has them, or where each has."""

FACES = 50
"""Faces of a dataset that are drawn unless said otherwise."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A face that is to be explained.

    Args:
        name: Its id, or its number in a photo.
        crop: uint8 (S, S), grey.
        landmarks: Where they are in the crop; None for their canonical places.
        subject: Who is shown, "" where unknown.
    """

    name: str
    crop: NDArray[np.uint8]
    landmarks: Points | None = None
    subject: str = ""


@dataclass(frozen=True, eq=False)
class Chosen:
    """The faces that are to be explained.

    Args:
        faces: One or more.
        drawn: How they were chosen, in words.
        places: Where their regions are, in words.
    """

    faces: tuple[Candidate, ...]
    drawn: str
    places: str


def in_photo(
    picture: Image, detector: Detector, preprocess: Preprocess, places: str = "own"
) -> Chosen:
    """Return the faces of a photo, largest first, counted from 0 as `mien analyze` does.

    Args:
        picture: uint8 (H, W, 3) RGB.
        detector: Finds them; of the detectors "yunet" tells landmarks.
        preprocess: Cuts them.
        places: "own" puts regions where the landmarks are, if the detector tells; "canonical" at
            their usual places.

    Raises:
        ImageError: If no face is found.
        MienError: For any other `places`.
    """
    if places not in ("own", "canonical"):
        raise MienError(
            f"The regions of a photo must be 'own' or 'canonical'. Got {places!r} instead."
        )
    faces = by_size(detector.detect(picture))
    if not faces:
        raise ImageError("No face was found in the photo.")
    candidates = tuple(
        Candidate(
            f"face {number}",
            preprocess.crop(picture, face.square),
            in_crop(face.landmarks, face.square) if face.landmarks and places == "own" else None,
        )
        for number, face in enumerate(faces)
    )
    return Chosen(candidates, f"all that were found: {len(faces):,}", _in_words(candidates))


def in_split(dataset: FaceDataset, split: str | None = None) -> FaceDataset:
    """Return the faces of a split, or of "all"; for None of "test", or all without such a split.

    Raises:
        DataError: If the dataset has no such split; says which it has.
    """
    if split == "all":
        return dataset
    if split is not None:
        return dataset.in_split(cast("Split", split))
    return dataset.in_split("test") if (dataset.splits == "test").any() else dataset


def sample(
    dataset: FaceDataset, count: int = FACES, *, seed: int = 0, balanced: bool = False
) -> FaceDataset:
    """Return random faces of a dataset; its history ends with how they were drawn.

    Args:
        dataset: N faces.
        count: How many; all if it has fewer.
        seed: Seeds the choice.
        balanced: Whether each class gets as many as the others, as far as it has them.

    Raises:
        DataError: If `count` is below 1, or no face has a label by which to balance.
    """
    if count < 1:
        raise DataError(f"The faces to be explained must be 1 or more. Got {count} instead.")
    if balanced and (dataset.targets == NO_TARGET).all():
        raise DataError(f"No face of {dataset.name} has a label to draw as many of each class by.")
    order = np.random.default_rng(seed).permutation(len(dataset))
    if balanced:
        order = order[dataset.targets[order] != NO_TARGET]
        order = order[np.argsort(_turns(dataset.targets[order]), kind="stable")]
    how = "drawn at random" if not balanced else "drawn at random, as many of each class"
    split = np.unique(dataset.splits).tolist()
    return dataset.select(
        np.sort(order[:count]),
        f"{min(count, len(order)):,} of {len(dataset):,} faces of {dataset.name}"
        f" ({', '.join(split) if any(split) else 'no split'}), {how}, seed {seed}",
    )


def _turns(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each face how many of its class come before it."""
    seen = np.zeros(len(targets), dtype=np.int64)
    for target in np.unique(targets):
        own = targets == target
        seen[own] = np.arange(own.sum())
    return seen


def of_dataset(
    dataset: FaceDataset, side: int, places: str = "canonical", detector: Detector | None = None
) -> Chosen:
    """Return the faces of a dataset, with their landmarks if wanted.

    Args:
        dataset: N faces, from `sample`.
        side: They are brought to this height and width.
        places: One of `PLACES`. Where a face's own landmarks are not found, canonical ones count.
        detector: Finds landmarks; needed for any but "canonical".

    Raises:
        MienError: If there are no such places, or the detector finds no landmarks at all.
    """
    if places not in PLACES:
        raise MienError(unknown_name("place of regions", places, PLACES))
    crops = of_side(dataset.images, side)
    landmarks = _landmarks(crops, places, detector)
    faces = zip(dataset.ids.tolist(), crops, landmarks, dataset.subjects.tolist(), strict=True)
    candidates = tuple(Candidate(*face) for face in faces)
    return Chosen(candidates, dataset.history[-1], _in_words(candidates, places))


def _in_words(faces: Sequence[Candidate], places: str = "own") -> str:
    found = sum(face.landmarks is not None for face in faces)
    if found == 0:
        return "canonical: where faces of FER2013 and CK+48 have them"
    if places == "median":
        return "at the median landmarks of the faces"
    if found == len(faces):
        return "by the landmarks of each face"
    return f"by the landmarks of each face in {found:,} of {len(faces):,}, canonical in the others"


def _landmarks(crops: Image, places: str, detector: Detector | None) -> Sequence[Points | None]:
    if places == "canonical":
        return [None] * len(crops)
    found = [find_landmarks(crop, detector) if detector else None for crop in crops]
    median = median_landmarks(found)
    if median is None:
        raise MienError(
            f"Regions at {places!r} places need a detector that tells landmarks, such as yunet,"
            " and faces in which it finds them. Got none."
        )
    return [median] * len(crops) if places == "median" else found


def study(
    explainer: Explainer,
    faces: Sequence[Candidate],
    expression: str | None = None,
    *,
    progress: bool = False,
) -> list[ExplainedFace]:
    """Explain faces one by one.

    Args:
        explainer: How.
        faces: Which.
        expression: What is explained, in any known spelling; None for each face's most probable.
        progress: Whether to show a bar.

    Raises:
        MienError: If the output has no such expression.
    """
    console = Console(stderr=True)
    bar = track(faces, "Explaining faces", console=console, transient=True, disable=not progress)
    return [explainer.study(f.crop, expression, f.landmarks, f.name, f.subject) for f in bar]
