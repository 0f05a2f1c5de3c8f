r"""Measure how much easier the faces are that a Haar cascade finds in FER2013's images.

    python benchmarks/haar_selection.py fer2013.zip \
        --run runs/reproduction/mahastama/scenario-3-paper-seed0 \
        --out results/haar-selection/mahastama.json

Mahastama et al. 2024 drop the faces that the cascade does not find. Of a network that was trained
on all, the accuracy on validation is told of the faces that are found and of the others, for some
settings of OpenCV's frontal cascades: the paper does not give its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from mien.data.readers import read_dataset
from mien.evaluation.predictions_file import read_predictions
from mien.evaluation.report import predictions_file
from mien.evaluation.unvaried import wilson
from mien.files import write_json
from mien.preprocess import Image
from mien.training.run import Run

SETTINGS = [
    ("default", 1.1, 3, 1),
    ("default", 1.1, 5, 1),
    ("default", 1.1, 3, 4),
    ("alt", 1.1, 3, 1),
]
"""Cascade, step, neighbours that must agree, and how many times the image is enlarged before."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path)
    parser.add_argument("--run", type=Path, required=True, help="a run's folder, evaluated")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    dataset, run = read_dataset(options.fer2013), Run(options.run)
    head = run.recipe().heads[0].labels
    val = read_predictions(predictions_file(run, head, "none")).judged("val")
    places = {name: place for place, name in enumerate(dataset.ids)}
    images = dataset.images[[places[name] for name in val.ids]]
    right = val.probabilities.argmax(1) == val.truth
    rows = [_row(setting, _found(images, *setting), right) for setting in SETTINGS]
    for row in rows:
        Console().print(row)
    if options.out:
        write_json(options.out, {"run": run.folder.name, "images": len(right), "settings": rows})


def _found(
    images: Image, name: str, step: float, neighbours: int, enlarged: int
) -> NDArray[np.bool_]:
    cascade = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_{name}.xml")
    larger = (cv2.resize(image, None, fx=enlarged, fy=enlarged) for image in images)
    return np.array([len(cascade.detectMultiScale(i, step, neighbours)) > 0 for i in larger])


def _row(
    setting: tuple[str, float, int, int], found: NDArray[np.bool_], right: NDArray[np.bool_]
) -> dict[str, object]:
    name, step, neighbours, enlarged = setting
    low, high = wilson(int(right[found].sum()), int(found.sum()))
    return {
        "cascade": name,
        "step": step,
        "neighbours": neighbours,
        "enlarged": enlarged,
        "found": int(found.sum()),
        "accuracy of found": float(right[found].mean()),
        "low": low,
        "high": high,
        "accuracy of the others": float(right[~found].mean()),
    }


if __name__ == "__main__":
    main()
