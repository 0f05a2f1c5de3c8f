"""What is known of each face as a row of numbers: its pixels, or a model's features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mien.data.dataset import FaceDataset
from mien.data.sizes import of_side, of_usual_side
from mien.inference.classifier import BATCH, Classifier

PIXELS = "pixels"


def pixels(dataset: FaceDataset) -> NDArray[np.float32]:
    """Return the faces' pixels as float32 (N, D), 0 to 1; D is 48 * 48 at most."""
    images = of_usual_side(dataset.images)
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def model_features(
    dataset: FaceDataset, classifier: Classifier, *, progress: bool = False
) -> NDArray[np.float32]:
    """Return what a model's last layer sees of each face.

    Args:
        dataset: N faces; they are brought to the model's size.
        classifier: The model.
        progress: Whether to show a bar.

    Returns:
        float32 (N, F).

    Raises:
        ModelError: If the model's file gives no features.
    """
    size = classifier.card.preprocess.size
    starts = range(0, len(dataset), BATCH)
    console = Console(stderr=True)
    parts = [
        classifier.features(of_side(dataset.images[start : start + BATCH], size))
        for start in track(starts, "Reading features", console=console, disable=not progress)
    ]
    return np.concatenate(parts)
