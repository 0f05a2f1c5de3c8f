"""Which faces of a dataset a model was trained on: how it reads those says nothing of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from mien.card import ModelCard, read_recipes
from mien.data.assemble import assemble
from mien.data.dataset import FaceDataset
from mien.data.twins import training_twins, twin_groups
from mien.errors import MienError
from mien.evaluation.origin import learnt, unknown
from mien.inference.zoo import model_path, read_card
from mien.recipe import DataPart

if TYPE_CHECKING:
    from mien.training.run import Run


JOINED = "joined the FER+ votes"
"""In the history of faces that have votes."""


@dataclass(frozen=True)
class Training:
    """What a run or a model's card says of the data that it was trained on.

    Args:
        parts: What the recipes of its networks say of data; none if it has no recipe.
        fingerprint: Of the faces that the first of them assembles.
        without_votes: Of the same without raters' votes; "" where that is not told.
        voted: Whether they may have had votes.
        counts: How many each split holds of each expression; empty for a card.
    """

    parts: tuple[DataPart, ...]
    fingerprint: str
    without_votes: str = ""
    voted: bool = True
    counts: Mapping[str, Any] = field(default_factory=dict)

    def agrees(self, faces: FaceDataset) -> bool | None:
        """Say whether faces and splits are the training's, whatever raters said of them.

        None where it cannot be told: they have no votes, and the fingerprint may be with votes.
        """
        bare = faces.without_votes.fingerprint
        if self.without_votes == bare or self.fingerprint in (faces.fingerprint, bare):
            return True
        return None if self.voted and faces.votes is None and not self.without_votes else False

    def differs(self, model: str, faces: FaceDataset) -> str:
        """Return a sentence if faces or splits are others than the training's, else ""."""
        agrees = self.agrees(faces)
        if agrees:
            return ""
        than = f"{model} was trained on other data or splits of the name {faces.name!r} than these"
        if agrees is None:
            return f"{than}, or on these with votes: the fingerprints differ; give --votes if so."
        return f"{than}, where it may have seen the faces of the test: the fingerprints differ."


@dataclass(frozen=True, eq=False)
class Learnt:
    """What of a dataset a model was trained on.

    Args:
        faces: bool (N,), those that are identical to one that it was trained on, where its recipe
            divided the dataset anew. None of them where it went by the dataset's own splits, which
            say it themselves, or was trained on others.
        known: False where it was trained on a dataset of this name, and not told on which faces.
        own: The faces as it was trained, selected and tested on; None where they are not at hand.
    """

    faces: NDArray[np.bool_]
    known: bool = True
    own: FaceDataset | None = None


def training_of(model: str) -> Training:
    """Return what a run's folder, a shipped model or an ONNX file says of its training.

    Raises:
        MienError: If there is no such model, or it cannot be read.
    """
    if not Path(model).is_dir():
        return training_of_card(read_card(model_path(model)))
    from mien.training.run import Run

    return training_of_run(Run(Path(model)))


def training_of_run(run: Run) -> Training:
    """Return what a run says of its training.

    Raises:
        MienError: If its recipe or `data.json` cannot be read.
    """
    said = run.data()
    return Training(
        parts=(run.recipe().data,),
        fingerprint=said["fingerprint"],
        without_votes=said.get("fingerprint_without_votes", ""),
        voted=any(JOINED in step for step in said["history"]),
        counts=said["counts"],
    )


def training_of_card(card: ModelCard) -> Training:
    """Return what a model's card says of its training."""
    parts = tuple(part for recipe in read_recipes(card.recipes) for part in _parts(recipe))
    return Training(parts, card.data_fingerprint)


def _parts(recipe: Mapping[str, Any]) -> list[DataPart]:
    try:
        return [DataPart.model_validate(recipe["data"])]
    except (KeyError, ValidationError):  # not a recipe of mien's, or another version's
        return []


def learnt_of(training: Training, dataset: FaceDataset, *, progress: bool = False) -> Learnt:
    """Return what of a dataset a model was trained on.

    Args:
        training: What the model says of its training.
        dataset: N faces.
        progress: Whether to show bars where the recipe cleans them, which may take minutes.
    """
    nothing = np.zeros(len(dataset), dtype=bool)
    names = {name for part in training.parts for name in (part.dataset, *part.datasets)}
    if dataset.name not in names:
        return Learnt(nothing)
    if training.agrees(dataset):
        return Learnt(nothing, own=dataset)
    own = _assembled(training.parts[0], dataset, progress)
    agrees = None if own is None else _agrees(training, own)
    if not _divides(training.parts[0]):
        return Learnt(nothing, _by_splits(training, dataset, agrees), own if agrees else None)
    if own is None or not agrees:
        return Learnt(nothing, known=False)
    return Learnt(_twins_of(_trained_on(training, own), dataset.images), own=own)


def _divides(part: DataPart) -> bool:
    """Say whether a recipe makes splits of its own."""
    return bool(part.shares or part.test_per_class)


def _by_splits(training: Training, dataset: FaceDataset, agrees: bool | None) -> bool:
    """Say whether a dataset's own splits tell what a training used that made none.

    Those of a fold of a cross-validation, which only runs have, are others. Files of one dataset
    differ by a few faces, and their fingerprints with them: of a card that says nothing.
    """
    return bool((dataset.splits == "train").any()) and (agrees is not False or not training.counts)


def _assembled(part: DataPart, dataset: FaceDataset, progress: bool) -> FaceDataset | None:
    """Return the faces of a recipe; None if it needs others beside these, or cannot use these."""
    if dataset.name != part.dataset:
        return None
    try:
        return assemble(part, [dataset], progress=progress)
    except MienError:
        return None


def _agrees(training: Training, own: FaceDataset) -> bool | None:
    """Say whether a recipe's faces are the training's; by their counts if by nothing else."""
    agrees = training.agrees(own)
    return training.counts == own.counts() if agrees is None and training.counts else agrees


def _trained_on(training: Training, own: FaceDataset) -> NDArray[np.uint8]:
    """Return the pictures that some network of a model was trained on, uint8 (M, H, W)."""
    train = own.splits == "train"
    if all(part.drop_twins for part in training.parts):
        train &= ~training_twins(own)
    return np.asarray(own.images[train])


def _twins_of(images: NDArray[np.uint8], among: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which of N pictures are identical to one of M others: bool (N,)."""
    groups = twin_groups(np.concatenate([images, among]))
    return np.isin(groups[len(images) :], groups[: len(images)])


def unlearnt(
    model: str, dataset: FaceDataset, faces: FaceDataset, *, progress: bool = False
) -> tuple[FaceDataset, str]:
    """Return those of a dataset's faces that a model was not trained on, and a sentence of others.

    Args:
        model: A run's folder, a shipped model or an ONNX file.
        dataset: The whole dataset.
        faces: Some of it, such as a split.
        progress: As of `learnt_of`.

    Returns:
        The faces, and how many were left out or that it is not known which should be; "" if all are
        there that should be.

    Raises:
        MienError: If the model cannot be read, or was trained on all of them.
    """
    found = learnt_of(training_of(model), dataset, progress=progress)
    if not found.known:
        return faces, unknown(model, dataset.name)
    left_out = np.isin(faces.ids, dataset.ids[found.faces])
    if not left_out.any():
        return faces, ""
    if left_out.all():
        raise MienError(f"{model} was trained on all {len(faces):,} faces of {dataset.name!r}.")
    return faces.select(~left_out), learnt(model, int(left_out.sum()), len(faces))
