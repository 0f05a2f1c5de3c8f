"""Measure what seeing a face several times, turned, scaled, cropped or mirrored, adds to a model.

    python benchmarks/views.py fer2013.zip --votes fer2013new.csv --model mien-base \
        --out results/views/mien-base.json

On PublicTest, since it is for choosing. Probabilities of the views are averaged with equal weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mien.data.dataset import FaceDataset
from mien.data.readers import read_dataset
from mien.data.votes import join_votes
from mien.evaluation.model_predictions import file_predictions
from mien.files import write_json
from mien.inference.classifier import Classifier

CROP = 48 / 42
CORNER = 3 * CROP
WARPS: dict[str, tuple[float, float, float, float]] = {
    "as it is": (0, 1, 0, 0),
    "turned by 6°": (6, 1, 0, 0),
    "turned by -6°": (-6, 1, 0, 0),
    "8 % larger": (0, 1.08, 0, 0),
    "6 % smaller": (0, 0.94, 0, 0),
    "crop, middle": (0, CROP, 0, 0),
    **{
        f"crop, {name}": (0, CROP, x, y)
        for name, x, y in (
            ("upper left", CORNER, CORNER),
            ("upper right", -CORNER, CORNER),
            ("lower left", CORNER, -CORNER),
            ("lower right", -CORNER, -CORNER),
        )
    },
}
"""Degrees, scale, and shift right and down in pixels of 48."""

AVERAGES: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in WARPS},
    "ten-crop": tuple(name for name in WARPS if name.startswith("crop")),
    "turned": ("as it is", "turned by 6°", "turned by -6°"),
    "scaled": ("as it is", "8 % larger", "6 % smaller"),
    "all": tuple(WARPS),
}

Shares = Mapping[str, np.ndarray]


def warped(images: np.ndarray, degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    """Return images, uint8 (N, 48, 48), turned and scaled about their middle, and moved."""
    matrix = cv2.getRotationMatrix2D((23.5, 23.5), degrees, scale)
    matrix[:, 2] += x, y
    options = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    return np.stack([cv2.warpAffine(image, matrix, (48, 48), **options) for image in images])


def said(classifier: Classifier, faces: FaceDataset, images: np.ndarray) -> Shares:
    """Return the probabilities (N, classes) by head, of other views of the faces."""
    tables = file_predictions(classifier, replace(faces, images=images))
    return {table.labels.name: table.probabilities for table in tables}


def accuracies(views: Sequence[Shares], truths: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the accuracy of the views' mean by head, over faces with a truth."""
    found = {}
    for head, truth in truths.items():
        hits = np.mean([view[head] for view in views], axis=0).argmax(1) == truth
        found[head] = float(hits[truth >= 0].mean())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path)
    parser.add_argument("--votes", type=Path, required=True, help="fer2013new.csv")
    parser.add_argument("--model", default="mien-base")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    faces = join_votes(read_dataset(options.fer2013), options.votes).in_split("val")
    classifier = Classifier(options.model)
    truths = {t.labels.name: t.truth for t in file_predictions(classifier, faces)}
    seen: dict[tuple[str, bool], Shares] = {}
    for name, warp in track(WARPS.items(), "Views", console=Console(stderr=True)):
        view = warped(faces.images, *warp)
        for mirrored in (False, True):
            images = np.ascontiguousarray(view[:, :, ::-1]) if mirrored else view
            seen[name, mirrored] = said(classifier, faces, images)
    figures = {
        average: {
            kind: accuracies([seen[name, m] for name in names for m in sides], truths)
            for kind, sides in (("alone", (False,)), ("and mirrored", (False, True)))
        }
        for average, names in AVERAGES.items()
    }
    table = Table("views", *(f"{head}, {kind}" for kind in figures["all"] for head in truths))
    for name, row in figures.items():
        table.add_row(name, *(f"{row[kind][head]:.3f}" for kind in row for head in truths))
    Console(width=120).print(table)
    if options.out:
        write_json(options.out, {"model": options.model, "split": "PublicTest", "figures": figures})


if __name__ == "__main__":
    main()
