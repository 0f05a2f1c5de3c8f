"""What a finished model says about a dataset: a run, or a file that ONNX Runtime runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mien.data.dataset import FaceDataset
from mien.data.sizes import of_side
from mien.errors import MienError
from mien.evaluation.metrics import Probabilities
from mien.evaluation.predictions import (
    Predictions,
    judged_faces,
    leaked_faces,
    logits_of,
    predictions_of,
)
from mien.evaluation.truths import judgeable
from mien.inference.classifier import BATCH, Classifier
from mien.recipe import HeadPart
from mien.signals import SignalName
from mien.training.targets import head_targets

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from mien.card import Views
    from mien.training.run import Run


def predictions_from(
    source: str, dataset: FaceDataset, *, every: bool = False, progress: bool = False
) -> list[Predictions]:
    """Return what a model says of the faces of val and test, or of all if there are none of them.

    Args:
        source: A run's folder, a shipped model's name or an ONNX file.
        dataset: Faces of any size.
        every: Whether faces of train are wanted, too.
        progress: Whether to show a bar.

    Returns:
        One table for each output for which some face has a truth.

    Raises:
        MienError: If the model cannot be read, or there is no such output.
    """
    if Path(source).is_dir():
        from mien.training.run import Run

        return run_predictions(Run(Path(source)), dataset, every=every)
    return file_predictions(Classifier(source), dataset, every=every, progress=progress)


def run_predictions(
    run: Run, dataset: FaceDataset, *, every: bool = False, views: Views = "none"
) -> list[Predictions]:
    """Return what a run's best epoch says, at the temperatures of its report if it has one.

    Args, returns and errors as of `predictions_from`; a run must be finished. `views` is what it
    sees of a face.
    """
    from mien.evaluation.predict import predict_with
    from mien.evaluation.views import with_views

    run.check_finished()
    temperatures = run.temperatures(views)
    if views != "none" and not temperatures:
        raise MienError(
            f"{run.folder} was not calibrated with --tta {views}: evaluate it so on its own data"
            " first."
        )
    module = run.module()
    preprocess = module.recipe.preprocess
    faces = replace(dataset, images=of_side(dataset.images, preprocess.size))
    name = run.folder.resolve().name
    heads = judgeable(name, module.recipe.heads, faces)
    signals = module.recipe.signal_names
    network = with_views(module.network, views)
    tables = predict_with(network, preprocess, heads, faces, every=every, signals=signals)
    return [
        replace(table, model=name, temperature=temperatures.get(head.labels, 1.0))
        for table, head in zip(tables, heads)
    ]


def file_predictions(
    classifier: Classifier,
    dataset: FaceDataset,
    *,
    every: bool = False,
    progress: bool = False,
) -> list[Predictions]:
    """Return what a model's file says.

    Args, returns and errors as of `predictions_from`.
    """
    card = classifier.card
    heads = judgeable(card.name, _heads(classifier), dataset)
    judged = judged_faces(dataset, every=every)
    leaked, faces = leaked_faces(dataset)[judged], dataset.select(judged)
    shares, signals = _said(classifier, faces, [head.labels for head in heads], progress)
    found = []
    for head in heads:
        temperature = card.head(head.labels).temperature
        targets = head_targets(faces, head)
        logits = logits_of(shares[head.labels], temperature)
        table = predictions_of(faces, targets.labels, targets.truth, leaked, logits)
        found.append(replace(table, model=card.name, temperature=temperature, signals=signals))
    return found


def _heads(classifier: Classifier) -> list[HeadPart]:
    """Return the file's outputs and what its recipe says that they learnt from."""
    card = classifier.card
    recipe = tomllib.loads(card.recipes[0])
    learnt = {str(h.get("labels")): h.get("target") for h in recipe.get("heads", [])}
    return [
        HeadPart(labels=head.name, target="votes" if learnt.get(head.name) == "votes" else "label")
        for head in card.heads
    ]


def _said(
    classifier: Classifier, faces: FaceDataset, heads: Sequence[str], progress: bool
) -> tuple[dict[str, Probabilities], dict[SignalName, NDArray[np.float64]]]:
    size = classifier.card.preprocess.size
    parts = []
    starts = range(0, len(faces), BATCH)
    console = Console(stderr=True)
    for start in track(starts, "Classifying", console=console, disable=not progress):
        crops = of_side(faces.images[start : start + BATCH], size)
        parts.append(classifier.say(crops, heads))
    shares = {head: np.concatenate([part[0][head] for part in parts]) for head in heads}
    names = classifier.card.signals
    return shares, {name: np.concatenate([part[1][name] for part in parts]) for name in names}
