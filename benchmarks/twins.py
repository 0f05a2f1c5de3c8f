"""Measure what FER2013's identical images would add to a model's test accuracy, if learnt by heart.

    python benchmarks/twins.py fer2013.zip --model mien-base --out results/twins/mien-base.json

Of PrivateTest images with a pixel-identical twin in Training, a model that never saw the twins
reads so many right; one that knows the twins' labels by heart would read those right whose label is
the same. The difference, over all images, is what a training on all of Training can gain by it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console

from mien.data.readers import read_dataset
from mien.data.twins import twin_groups
from mien.evaluation.model_predictions import file_predictions
from mien.files import write_json
from mien.inference.classifier import Classifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path)
    parser.add_argument("--model", default="mien-base")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    dataset = read_dataset(options.fer2013)
    groups, targets = twin_groups(dataset.images), dataset.targets
    counts = np.zeros((groups.max() + 1, len(dataset.labels)), np.int64)
    train = dataset.splits == "train"
    np.add.at(counts, (groups[train], targets[train]), 1)
    tables = file_predictions(Classifier(options.model), dataset)
    table = next(t for t in tables if t.labels.name == "basic7")
    test = table.splits == "test"
    right = table.probabilities[test].argmax(1) == table.truth[test]
    known = counts[groups[dataset.splits == "test"]]
    twin = known.sum(1) > 0
    by_heart = known.argmax(1) == table.truth[test]
    figures = {
        "images": int(test.sum()),
        "with a twin in Training": int(twin.sum()),
        "whose twins have the same label": int(by_heart[twin].sum()),
        "of these read right without having seen the twins": int(right[twin].sum()),
        "accuracy": float(right.mean()),
        "accuracy if the twins were known by heart": float(np.where(twin, by_heart, right).mean()),
    }
    for name, value in figures.items():
        Console().print(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}")
    if options.out:
        write_json(options.out, {"model": options.model, "figures": figures})


if __name__ == "__main__":
    main()
