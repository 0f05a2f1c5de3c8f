"""Measure what a reading's confidence is worth where nobody knows whether raters would agree.

    python benchmarks/confidence.py fer2013.zip --votes fer2013new.csv --model mien-base \
        --out results/confidence/mien-base.json

Temperature and calibration error are of faces with a majority of the raters. Here are all faces of
PrivateTest: those without a majority count as mistakes, whatever is said of them. Beside it stands
how often the same output, choosing among seven expressions, names FER2013's own label.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from mien.data.readers import read_dataset
from mien.data.votes import distribution, join_votes
from mien.evaluation.model_predictions import file_predictions
from mien.evaluation.predictions import Predictions
from mien.files import write_json
from mien.inference.classifier import Classifier
from mien.labels import label_set

EDGES = (0.0, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.001)


def confidences(faces: Predictions) -> list[dict[str, float]]:
    """Return for faces read with about the same confidence how many of them are read right."""
    confidence, said = faces.probabilities.max(1), faces.probabilities.argmax(1)
    assert faces.votes is not None
    raters = distribution(faces.votes)[np.arange(len(faces)), said]
    known = faces.truth >= 0
    found = []
    for low, high in _ranges():
        inside = (confidence >= low) & (confidence < high)
        right = faces.truth[inside] == said[inside]
        found.append(
            {
                "from": low,
                "to": min(high, 1.0),
                "faces": int(inside.sum()),
                "mean confidence": float(confidence[inside].mean()),
                "right": float(right.mean()),
                "right where raters have a majority": float(right[known[inside]].mean()),
                "share of raters who say the same": float(raters[inside].mean()),
            }
        )
    return found


def by_label(faces: Predictions, targets: NDArray[np.int64]) -> float:
    """Return the share of faces, targets (N,) in `basic7`, whose own label is named."""
    return float((faces.among(label_set("basic7")).probabilities.argmax(1) == targets).mean())


def _ranges() -> list[tuple[float, float]]:
    """Return all faces' range first, then the single ones."""
    return [(EDGES[0], EDGES[-1]), *pairwise(EDGES)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path)
    parser.add_argument("--votes", type=Path, required=True, help="fer2013new.csv")
    parser.add_argument("--model", default="mien-base")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    dataset = join_votes(read_dataset(options.fer2013), options.votes)
    test = dataset.select(np.flatnonzero(dataset.splits == "test"))
    tables = file_predictions(Classifier(options.model), test)
    table = next(t for t in tables if t.labels.name == "ferplus8")
    found = {
        "model": options.model,
        "figures": confidences(table),
        "right by FER2013's own labels": by_label(table, test.targets),
    }
    Console().print_json(data=found)
    if options.out:
        write_json(options.out, found)


if __name__ == "__main__":
    main()
