"""What a network says about each face: the table every figure is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.twins import twins_in
from mien.evaluation.averaging import Predictor
from mien.files import whole_file
from mien.labels import LabelSet
from mien.preprocess import Preprocess
from mien.recipe import HeadPart
from mien.training.batches import Batches
from mien.training.module import ExpressionModule
from mien.training.targets import head_targets

BATCH = 256


@dataclass(frozen=True)
class Predictions:
    """One head's logits for N faces, beside the truth.

    Args:
        labels: The head's label set, C expressions.
        ids: str (N,).
        splits: str (N,).
        truth: int64 (N,), or `NO_TARGET` where there is none.
        leaked: bool (N,): a test face with a pixel-identical twin in train or val, or a val face
            with one in train.
        logits: float64 (N, C).
    """

    labels: LabelSet
    ids: NDArray[np.str_]
    splits: NDArray[np.str_]
    truth: NDArray[np.int64]
    leaked: NDArray[np.bool_]
    logits: NDArray[np.float64]

    def select(self, which: NDArray[np.bool_]) -> Predictions:
        """Return the faces that a mask picks."""
        return Predictions(
            self.labels,
            self.ids[which],
            self.splits[which],
            self.truth[which],
            self.leaked[which],
            self.logits[which],
        )

    def with_logits(self, logits: NDArray[np.float64]) -> Predictions:
        """Return the same faces with other logits, float64 (N, C)."""
        return replace(self, logits=logits)

    def judged(self, split: str) -> Predictions:
        """Return the faces of a split whose truth is known."""
        return self.select((self.splits == split) & (self.truth != NO_TARGET))

    def write(self, path: Path) -> None:
        """Write the table as Parquet: id, split, truth, leaked and one logit column a class."""
        names = [*self.labels.expressions, None]
        columns: dict[str, Any] = {
            "id": self.ids.tolist(),
            "split": self.splits.tolist(),
            "truth": [names[t] for t in self.truth],
            "leaked": self.leaked.tolist(),
        }
        logits = zip(self.labels.expressions, self.logits.T)
        columns |= {f"logit_{expression}": column for expression, column in logits}
        with whole_file(path) as temporary:
            pq.write_table(pa.table(columns), temporary)


def predict(module: ExpressionModule, dataset: FaceDataset) -> list[Predictions]:
    """Run a module's network over the splits val and test.

    Returns:
        One table for each head, in the recipe's order.
    """
    recipe = module.recipe
    return predict_with(module.network, recipe.preprocess, recipe.heads, dataset)


def predict_with(
    network: Predictor, preprocess: Preprocess, heads: Sequence[HeadPart], dataset: FaceDataset
) -> list[Predictions]:
    """Run a network over the splits val and test.

    Args:
        network: In evaluation mode on the CPU.
        preprocess: How it sees faces.
        heads: The outputs that are wanted, and what they should say.
        dataset: Faces of the network's size.

    Returns:
        One table for each head, in the given order.
    """
    leaked = leaked_faces(dataset)
    judged = np.isin(dataset.splits, ["val", "test"])
    faces = dataset.select(judged)
    logits = _logits(network, preprocess, faces, heads)
    return [
        Predictions(
            labels=targets.labels,
            ids=faces.ids,
            splits=faces.splits,
            truth=targets.truth,
            leaked=leaked[judged],
            logits=logits[head.labels],
        )
        for head in heads
        for targets in [head_targets(faces, head)]
    ]


def leaked_faces(dataset: FaceDataset) -> NDArray[np.bool_]:
    """Return bool (N,): test faces with a twin in train or val, val faces with one in train."""
    test = (dataset.splits == "test") & twins_in(dataset, ["train", "val"])
    val = (dataset.splits == "val") & twins_in(dataset, ["train"])
    return np.asarray(test | val)


def _logits(
    network: Predictor, preprocess: Preprocess, faces: FaceDataset, heads: Sequence[HeadPart]
) -> dict[str, NDArray[np.float64]]:
    found: dict[str, list[NDArray[np.float64]]] = {head.labels: [] for head in heads}
    with torch.inference_mode():
        for batch in Batches(faces, heads, BATCH, shuffle=False):
            logits = network(preprocess.normalise(batch.images.float()))
            for name, parts in found.items():
                parts.append(logits[name].numpy().astype(np.float64))
    return {name: np.concatenate(parts) for name, parts in found.items()}
