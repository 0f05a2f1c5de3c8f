"""What a report is about: predictions of the faces that are judged, and of those that calibrate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.errors import MienError, unknown_name
from mien.evaluation.bootstrap import Groups
from mien.evaluation.predictions import Predictions

EVERY = "all"
"""The split that means all faces of a dataset without splits."""


@dataclass(frozen=True)
class Judged:
    """One output of a model, on faces whose truth is known.

    Args:
        table: All predictions.
        faces: The N faces that are judged.
        split: Which they are: "test", "val", "train" or "all".
        val: The faces of val, on which temperature and threshold are fitted; None if there are none
            or they are the judged ones.
        images: uint8 (N, H, W), the judged faces' pictures; None if they are not at hand.
        metrics_file: The figures of each epoch, if a run made the predictions.
    """

    table: Predictions
    faces: Predictions
    split: str
    val: Predictions | None = None
    images: NDArray[np.uint8] | None = None
    metrics_file: Path | None = None

    @property
    def groups(self) -> Groups | None:
        """The subjects, which intervals draw whole; None unless all are known and there are two."""
        subjects = self.faces.subjects
        known = (subjects != "").all() and len(np.unique(subjects)) > 1
        return subjects if known else None


def judged(
    table: Predictions,
    dataset: FaceDataset | None = None,
    split: str | None = None,
    metrics_file: Path | None = None,
) -> Judged:
    """Choose the faces to judge.

    Args:
        table: Predictions; where they lack subjects, sources, votes, splits or the truth, the
            dataset's are taken.
        dataset: Gives the pictures.
        split: Which faces are judged; by default test, else val, else all.
        metrics_file: The figures of each epoch of the run.

    Raises:
        MienError: If no face of the split has a known truth.
    """
    if dataset is not None:
        table = completed(table, dataset)
    chosen = _split(table, split)
    faces = table if chosen == EVERY else table.select(table.splits == chosen)
    faces = faces.select(faces.truth != NO_TARGET)
    if not len(faces):
        raise MienError(
            f"{table.model or 'The predictions'} cannot be judged: no face of the split {chosen!r}"
            f" has a truth among {', '.join(table.labels.expressions)}."
        )
    val = table.judged("val")
    return Judged(
        table=table,
        faces=faces,
        split=chosen,
        val=val if chosen == "test" and len(val) else None,
        images=None if dataset is None else dataset.images[_places(faces, dataset)],
        metrics_file=metrics_file,
    )


def completed(table: Predictions, dataset: FaceDataset) -> Predictions:
    """Return predictions with what only the dataset knows of the faces.

    Raises:
        MienError: If the dataset lacks one of the faces.
    """
    places = _places(table, dataset)
    changes: dict[str, object] = {}
    for name in ("splits", "subjects", "sources"):
        if (getattr(table, name) == "").all():
            changes[name] = getattr(dataset, name)[places]
    if table.votes is None and dataset.votes is not None:
        changes["votes"] = dataset.votes[places]
    if (table.truth == NO_TARGET).all():
        known = {e: i for i, e in enumerate(table.labels.expressions)}
        names = [*dataset.labels.expressions, ""]
        own = np.array([known.get(name, NO_TARGET) for name in names], dtype=np.int64)
        changes["truth"] = own[dataset.targets[places]]
    if not table.dataset:
        changes["dataset"] = dataset.name
    return replace(table, **changes)  # type: ignore[arg-type]


def _places(table: Predictions, dataset: FaceDataset) -> NDArray[np.intp]:
    place = {str(id_): number for number, id_ in enumerate(dataset.ids)}
    missing = [str(id_) for id_ in table.ids if str(id_) not in place]
    if missing:
        raise MienError(
            f"Dataset {dataset.name!r} lacks {len(missing)} of the {len(table)} faces that"
            f" {table.model or 'the predictions'} names, {missing[0]!r} first."
        )
    return np.array([place[str(id_)] for id_ in table.ids], dtype=np.intp)


def _split(table: Predictions, wanted: str | None) -> str:
    found = sorted({str(split) for split in table.splits} - {""})
    if wanted is not None:
        if wanted not in (*found, EVERY):
            raise MienError(unknown_name("split", wanted, [*found, EVERY]))
        return wanted
    known = set(table.splits[table.truth != NO_TARGET].tolist())
    return next((split for split in ("test", "val") if split in known), EVERY)
