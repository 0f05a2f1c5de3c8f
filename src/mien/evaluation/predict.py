"""What a network, run by torch, says about a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from mien.data.dataset import FaceDataset
from mien.evaluation.average.averaging import Predictor
from mien.evaluation.predictions import (
    Predictions,
    judged_faces,
    leaked_faces,
    predictions_of,
)
from mien.preprocess import Image, Preprocess
from mien.recipe import HeadPart
from mien.signals import SignalName
from mien.training.targets import head_targets

if TYPE_CHECKING:
    from mien.training.module import ExpressionModule

BATCH = 256


def predict(module: ExpressionModule, dataset: FaceDataset) -> list[Predictions]:
    """Run a module's network over the splits val and test.

    Returns:
        One table for each head, in the recipe's order.
    """
    recipe = module.recipe
    names = recipe.signal_names
    return predict_with(module.network, recipe.preprocess, recipe.heads, dataset, signals=names)


def predict_with(
    network: Predictor,
    preprocess: Preprocess,
    heads: Sequence[HeadPart],
    dataset: FaceDataset,
    *,
    every: bool = False,
    signals: Sequence[SignalName] = (),
) -> list[Predictions]:
    """Run a network over the splits val and test, or over all faces of a dataset without them.

    Args:
        network: In evaluation mode on the CPU.
        preprocess: How it sees faces.
        heads: The outputs that are wanted, and what they should say.
        dataset: Faces of the network's size.
        every: Whether faces of train are wanted, too.
        signals: The signals that are wanted.

    Returns:
        One table for each head, in the given order; each holds the signals.

    Raises:
        RecipeError: If the dataset lacks the votes or the labels that a head needs.
    """
    judged = judged_faces(dataset, every=every)
    leaked = leaked_faces(dataset)[judged]
    faces = dataset.select(judged)
    wanted = [head_targets(faces, head) for head in heads]  # missing votes are said at once
    names = [*(head.labels for head in heads), *signals]
    logits = _logits(network, preprocess, faces.images, names)
    said = {name: expit(logits[name][:, 0]) for name in signals}
    tables = (
        predictions_of(faces, targets.labels, targets.truth, leaked, logits[head.labels])
        for head, targets in zip(heads, wanted)
    )
    return [replace(table, signals=said) for table in tables]


def _logits(
    network: Predictor, preprocess: Preprocess, images: Image, outputs: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in outputs}
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            faces = preprocess.to_input(images[start : start + BATCH])
            logits = network(torch.from_numpy(faces))
            for name, parts in found.items():
                parts.append(logits[name].numpy().astype(np.float64))
    return {name: np.concatenate(parts) for name, parts in found.items()}
