"""What a finished model says about a dataset: a run, or a file that ONNX Runtime runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mien.card import read_recipes
from mien.data.dataset import FaceDataset
from mien.data.sizes import of_side
from mien.errors import MienError, RecipeError
from mien.evaluation.calibration import fit_temperature
from mien.evaluation.learnt import (
    Learnt,
    learnt_of,
    training_of_card,
    training_of_run,
)
from mien.evaluation.metrics import Probabilities
from mien.evaluation.origin import Origin
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

if TYPE_CHECKING:
    from mien.card import Views
    from mien.evaluation.average.averaging import Predictor
    from mien.recipe import Recipe
    from mien.training.run import Run


def predictions_from(
    source: str, dataset: FaceDataset, *, every: bool = False, progress: bool = False
) -> list[Predictions]:
    """Return what a model says of the faces of val and test, or of all if there are none of them.

    Where its recipe divided the dataset anew, those it was trained on are marked as learnt.

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

        return run_predictions(Run(Path(source)), dataset, every=every, progress=progress)
    return file_predictions(Classifier(source), dataset, every=every, progress=progress)


def run_predictions(
    run: Run,
    dataset: FaceDataset,
    *,
    every: bool = False,
    views: Views = "none",
    progress: bool = False,
) -> list[Predictions]:
    """Return what a run's best epoch says, at the temperatures of its report if it has one.

    Where it has none they are fitted on the faces that it was selected on, as evaluating the run
    does, if these are among the dataset's.

    Args, returns and errors as of `predictions_from`; a run must be finished. `views` is what it
    sees of a face.
    """
    from mien.evaluation.average.views import with_views
    from mien.evaluation.predict import predict_with

    run.check_finished()
    temperatures = _temperatures(run, views)
    module = run.module()
    recipe, network = module.recipe, with_views(module.network, views)
    name = run.folder.resolve().name
    faces = replace(dataset, images=of_side(dataset.images, recipe.preprocess.size))
    heads = judgeable(name, recipe.heads, faces)
    learnt = learnt_of(training_of_run(run), dataset, progress=progress)
    temperatures = temperatures or _fitted(recipe, network, learnt.own)
    signals = recipe.signal_names
    tables = predict_with(network, recipe.preprocess, heads, faces, every=every, signals=signals)
    named = [
        replace(t, model=name, temperature=temperatures.get(t.labels.name, 1.0)) for t in tables
    ]
    outputs = [head.labels for head in recipe.heads]
    return _with_origin(named, outputs, dataset, learnt, calibrated=bool(temperatures))


def _temperatures(run: Run, views: Views) -> dict[str, float]:
    found = run.temperatures(views)
    if views != "none" and not found:
        raise MienError(
            f"{run.folder} was not calibrated with --tta {views}: evaluate it so on its own data"
            " first."
        )
    return found


def _fitted(recipe: Recipe, network: Predictor, own: FaceDataset | None) -> dict[str, float]:
    """Return the temperatures that fit the faces a run was selected on; none without these."""
    from mien.evaluation.predict import predict_with

    if own is None:
        return {}
    try:
        tables = predict_with(network, recipe.preprocess, recipe.heads, own.in_split("val"))
    except RecipeError:  # an output learnt from votes, which the faces lack
        return {}
    known = [(table.labels.name, table.judged("val")) for table in tables]
    return {name: fit_temperature(val.logits, val.truth) for name, val in known}


def _with_origin(
    tables: Sequence[Predictions],
    outputs: Sequence[str],
    dataset: FaceDataset,
    learnt: Learnt,
    *,
    calibrated: bool = True,
) -> list[Predictions]:
    """Return a model's tables with what is to be known of it, and the faces that it was trained on.

    Where its recipe divided the dataset anew, no face is leaked from one of the dataset's splits
    into another: what it was trained on is said face by face.
    """
    ids = dataset.ids[learnt.faces]
    origin = Origin(outputs=tuple(outputs), division_known=learnt.known, calibrated=calibrated)
    told = [replace(t, origin=origin.model_copy(update={"output": t.labels.name})) for t in tables]
    if not len(ids):
        return told
    return [
        replace(t, learnt=np.isin(t.ids, ids), leaked=np.zeros(len(t), dtype=bool)) for t in told
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
    learnt = learnt_of(training_of_card(card), dataset, progress=progress)
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
    return _with_origin(found, [head.name for head in card.heads], dataset, learnt)


def _heads(classifier: Classifier) -> list[HeadPart]:
    """Return the file's outputs and what its recipe says that they learnt from."""
    card = classifier.card
    heads = read_recipes(card.recipes)[0].get("heads", [])
    learnt = {str(head.get("labels")): head.get("target") for head in heads}
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
