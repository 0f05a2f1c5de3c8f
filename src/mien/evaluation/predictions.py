"""What a network says about each face: the table every figure is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.twins import twins_in
from mien.files import whole_file
from mien.labels import LabelSet
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
    """Run a network over the splits val and test.

    Returns:
        One table for each head, in the recipe's order.
    """
    leaked = leaked_faces(dataset)
    judged = np.isin(dataset.splits, ["val", "test"])
    faces = dataset.select(judged)
    heads = module.recipe.heads
    logits = _logits(module, faces, heads)
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
    module: ExpressionModule, faces: FaceDataset, heads: tuple[HeadPart, ...]
) -> dict[str, NDArray[np.float64]]:
    found: dict[str, list[NDArray[np.float64]]] = {head.labels: [] for head in heads}
    with torch.inference_mode():
        for batch in Batches(faces, heads, BATCH, shuffle=False):
            images = module.recipe.preprocess.normalise(batch.images.float())
            for name, logits in module(images).items():
                found[name].append(logits.numpy().astype(np.float64))
    return {name: np.concatenate(parts) for name, parts in found.items()}
