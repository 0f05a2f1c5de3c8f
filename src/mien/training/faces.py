"""The faces a recipe trains on, and whether they allow it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.split import check_sources
from mien.data.twins import training_twins
from mien.errors import DataError, RecipeError
from mien.models import build_network
from mien.recipe import DataPart, Recipe
from mien.recipe.data import OFFICIAL
from mien.training.machine import Machine
from mien.training.signals import signal_targets
from mien.training.starting import TAKE_VAL
from mien.training.targets import head_targets


def checked_faces(recipe: Recipe, dataset: FaceDataset, machine: Machine) -> FaceDataset:
    """Return the faces a recipe trains on, where nothing keeps it from being trained here.

    Raises:
        RecipeError: If recipe and dataset do not fit, or the batches and the machine.
        DataError: If the dataset has no face to select by, or some would be left out in silence.
    """
    check_faces(recipe, dataset)
    machine.check(recipe.training.batch_size)
    if recipe.training.batch_size == machine.together:
        _check_single_faces(recipe)
    return training_faces(recipe, dataset)


def training_faces(recipe: Recipe, dataset: FaceDataset) -> FaceDataset:
    """Return the faces a recipe trains on.

    Raises:
        RecipeError: If there are fewer than one batch of them.
    """
    keep = (dataset.splits == "train") & ~unseen(recipe, dataset)
    count = int(keep.sum())
    if count < recipe.training.batch_size:
        raise RecipeError(
            f"training.batch_size must be at most the number of training faces, {count}."
            f" Got {recipe.training.batch_size} instead."
        )
    return dataset.select(np.flatnonzero(keep))


def unseen(recipe: Recipe, dataset: FaceDataset) -> NDArray[np.bool_]:
    """Return which training faces a recipe leaves out: bool (N,)."""
    if recipe.data.drop_twins:
        return training_twins(dataset)
    return np.zeros(len(dataset), dtype=bool)


def check_faces(recipe: Recipe, dataset: FaceDataset) -> None:
    """Check that a recipe can be trained on a dataset, whatever its batches are.

    Raises:
        RecipeError: If the faces are of another size, lack votes that are learnt from, or a head
            has no truth to be selected by.
        DataError: If there is no split "val", or some faces would be left out in silence.
    """
    side = recipe.preprocess.size
    height, width = dataset.images.shape[1:]
    if (height, width) != (side, side):
        raise RecipeError(
            f"preprocess.size must be the size of the dataset's images, {width}x{height}."
            f" Got {side} instead."
        )
    if not (dataset.splits == "val").any():
        raise DataError(_without_val(recipe.data, dataset))
    check_sources(dataset)
    for head in recipe.heads:
        if (head_targets(dataset.in_split("val"), head).truth == NO_TARGET).all():
            raise RecipeError(
                f"Head {head.labels!r} cannot be selected or calibrated: no face of the split 'val'"
                " has a known truth for it."
            )
    for name in recipe.signal_names:
        signal_targets(dataset, name)


@dataclass(frozen=True)
class HeadGaps:
    """What the training faces do not teach a head.

    Args:
        without_truth: How many of them say nothing of it: their expression is none of its own, or
            no rater named one. A face whose raters disagree says something.
        not_shown: Its expressions that no face shows, and no rater saw.
    """

    without_truth: int
    not_shown: tuple[str, ...]


FEW = 0.05
"""The share of faces without truth that goes without saying, as of those without a majority."""


def head_gaps(recipe: Recipe, faces: FaceDataset) -> dict[str, HeadGaps]:
    """Return what training faces do not teach a recipe's heads, by head."""
    found = {}
    for head in recipe.heads:
        targets = head_targets(faces, head)
        some, shown = targets.shares.any(axis=1), targets.shares.any(axis=0)
        found[head.labels] = HeadGaps(
            without_truth=int((~some).sum()),
            not_shown=tuple(np.array(targets.labels.expressions)[~shown].tolist()),
        )
    return found


def gap_sentences(recipe: Recipe, dataset: FaceDataset) -> list[str]:
    """Return a sentence for each head of a recipe that its training faces do not teach all of.

    Args:
        recipe: What is to be trained.
        dataset: All faces, as `train` gets them.

    Returns:
        None of a head that all expressions and nearly all faces teach.

    Raises:
        RecipeError: If there are fewer training faces than one batch, or they lack what a head
            learns from.
    """
    faces = training_faces(recipe, dataset)
    gaps = head_gaps(recipe, faces)
    return [
        _gap_sentence(name, len(faces), gap)
        for name, gap in gaps.items()
        if gap.not_shown or gap.without_truth > FEW * len(faces)
    ]


def _gap_sentence(head: str, faces: int, gap: HeadGaps) -> str:
    lacking = f"{gap.without_truth:,} of {faces:,} training faces have no truth for {head!r}"
    if not gap.not_shown:
        return f"{lacking}."
    shown = " or ".join(gap.not_shown)
    if not gap.without_truth:
        return f"No training face shows {shown}, which {head!r} has."
    return f"{lacking}; no face shows {shown}."


def _without_val(part: DataPart, dataset: FaceDataset) -> str:
    found = np.unique(dataset.splits).tolist()
    if part.test_per_class:
        help_ = 'data.split = "90:10" makes one of the faces outside of test'
    elif part.split != OFFICIAL:
        help_ = 'data.split = "80:10:10" makes one'
    else:
        help_ = TAKE_VAL if "train" in found else "mien data split --ratio 80:10:10 makes them"
    return (
        f"Dataset {dataset.name!r} has no split 'val', by which the best epoch is chosen: it has"
        f" {', '.join(map(repr, found))}; {help_}."
    )


def _check_single_faces(recipe: Recipe) -> None:
    """Check that a network can be trained on one face at a time, by trying it with a blank one."""
    network = build_network(recipe.network.name, recipe.outputs, recipe.network.options).train()
    side = recipe.preprocess.size
    try:
        network(torch.zeros(1, 1, side, side))
    except ValueError as error:
        # Batch normalisation's, of features or of a map of one pixel.
        raise RecipeError(
            f"training.batch_size must be 2 or more for each device: network"
            f" {recipe.network.name!r} normalises over a batch, and of one face it cannot."
        ) from error
