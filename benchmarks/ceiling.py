"""Estimate from FER+'s votes how well any model can read FER2013's test faces.

    python benchmarks/ceiling.py fer2013.zip --votes fer2013new.csv --out results/ceiling/votes.json

How well do the votes of ten raters foretell FER2013's own label, and how well do raters foretell
other raters? The classifiers are fitted on Training; everything is measured on PrivateTest. Raters
are drawn 20 times.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from mien.data.dataset import FaceDataset
from mien.data.readers import read_dataset
from mien.data.votes import NO_MAJORITY, join_votes, majority
from mien.files import write_json
from mien.labels import EXPRESSIONS, LABEL_SETS

DRAWS = 20


def from_the_votes(dataset: FaceDataset, votes: NDArray[np.uint8]) -> Iterator[tuple[str, float]]:
    """Give the accuracies of FER2013's label as foretold by the votes."""
    train, test = dataset.splits == "train", dataset.splits == "test"
    names = LABEL_SETS["ferplus8"].expressions
    own = np.array([names.index(name) for name in dataset.labels.expressions])
    said = majority(votes[test])
    known = said != NO_MAJORITY
    truth = own[dataset.targets[test]]
    yield "FER2013's label is the raters' majority", float((truth == said)[known].mean())
    for name, model in {
        "logistic regression": LogisticRegression(max_iter=1000),
        "boosted trees": HistGradientBoostingClassifier(random_state=0),
    }.items():
        model.fit(votes[train], dataset.targets[train])
        value = float(model.score(votes[test], dataset.targets[test]))
        yield f"FER2013's label is what all ten votes foretell, {name}", value


def among_raters(votes: NDArray[np.uint8], seed: int) -> Iterator[tuple[str, float]]:
    """Give how often one group of raters says what another says."""
    generator = np.random.default_rng(seed)
    rows = votes[votes.sum(1) == 10]
    each = np.repeat(np.tile(np.arange(rows.shape[1]), len(rows)), rows.ravel()).reshape(-1, 10)
    shuffled = generator.permuted(each, axis=1)
    first, second = _counts(shuffled[:, :5]), _counts(shuffled[:, 5:])
    yield "two halves of the raters agree, majority", _same(majority(first), majority(second))
    yield "two halves of the raters agree, most votes", _same(_most(first), _most(second))
    others = generator.multinomial(10, rows / 10).astype(np.uint8)
    yield "ten raters drawn from the votes agree", _same(majority(others), majority(rows))


def _counts(said: NDArray[np.intp]) -> NDArray[np.uint8]:
    return np.stack([(said == vote).sum(1) for vote in range(10)], axis=1).astype(np.uint8)


def _most(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the expression with the most votes, `NO_MAJORITY` where two have as many."""
    faces = votes[:, : len(EXPRESSIONS)]
    alone = (faces == faces.max(1, keepdims=True)).sum(1) == 1
    return np.where(alone, faces.argmax(1), NO_MAJORITY)


def _same(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    both = (first != NO_MAJORITY) & (second != NO_MAJORITY)
    return float((first == second)[both].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path)
    parser.add_argument("--votes", type=Path, required=True, help="fer2013new.csv")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    dataset = join_votes(read_dataset(options.fer2013), options.votes)
    votes = dataset.votes
    assert votes is not None
    figures = dict(from_the_votes(dataset, votes))
    test = votes[dataset.splits == "test"]
    draws = [dict(among_raters(test, seed)) for seed in range(DRAWS)]
    figures |= {name: float(np.mean([draw[name] for draw in draws])) for name in draws[0]}
    for name, value in figures.items():
        Console().print(f"{name}: {value:.4f}")
    if options.out:
        write_json(options.out, {"images": len(test), "draws": DRAWS, "figures": figures})


if __name__ == "__main__":
    main()
