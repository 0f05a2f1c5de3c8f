"""What a report is about: predictions of the faces that are judged, and of those that calibrate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.explore.statistics import brightness, sharpness
from mien.errors import MienError, unknown_name
from mien.evaluation.predictions import Predictions, leaked_faces
from mien.evaluation.truths import checked_truth, truth_for
from mien.labels import LabelSet

EVERY = "all"
"""The split that means all faces of a dataset without splits."""


@dataclass(frozen=True)
class Judged:
    """One output of a model, on faces whose truth is known.

    Args:
        table: All predictions but those of faces that the model was trained on.
        faces: The N faces that are judged.
        split: Which they are: "test", "val", "train" or "all".
        val: The faces of val, on which temperature and threshold are fitted; None if there are none
            or they are among the judged ones.
        images: uint8 (N, H, W), the judged faces' pictures; None if they are not at hand.
        metrics_file: The figures of each epoch, if a run made the predictions.
        every: The faces of the split, also those that are not judged.
        unjudged: How many of them have no truth that the output can say, by what they show.
        unpredicted: How many of the dataset's faces of the split another program's table lacks.
        learnt: How many more faces of the split have a truth and are left out, also of `table`,
            because the model was trained on them.
    """

    table: Predictions
    faces: Predictions
    split: str
    every: Predictions
    unjudged: Mapping[str, int] = field(default_factory=dict)
    unpredicted: int = 0
    learnt: int = 0
    val: Predictions | None = None
    images: NDArray[np.uint8] | None = None
    metrics_file: Path | None = None

    @property
    def no_val(self) -> str:
        """Why there is no val to fit anything on, as the end of a sentence."""
        known = len(self.table.judged("val"))
        return "as they hold those of val" if known else "as there is no val"


def judged(
    table: Predictions,
    dataset: FaceDataset | None = None,
    split: str | None = None,
    metrics_file: Path | None = None,
    among: LabelSet | None = None,
) -> Judged:
    """Choose the faces to judge.

    Args:
        table: Predictions; what they lack of a face is taken from the dataset.
        dataset: Gives the pictures.
        split: Which faces are judged; by default test, else val, else all.
        metrics_file: The figures of each epoch of the run.
        among: What of the output's expressions could be chosen; all by default.

    Raises:
        MienError: If no face of the split has a known truth.
    """
    foreign = not table.dataset
    if dataset is not None:
        table = completed(table, dataset)
    if among is not None:
        # Only now: by what a table is judged depends on all that it can say.
        table = table.among(among)
    chosen, whole = _split(table, split), table
    table = whole.unlearnt
    every = of_split(table, chosen)
    faces = every.select(every.truth != NO_TARGET)
    learnt = int((of_split(whole, chosen).truth != NO_TARGET).sum()) - len(faces)
    if not len(faces):
        raise MienError(_no_face(table, chosen, learnt))
    val = table.judged("val")
    return Judged(
        table=table,
        faces=faces,
        split=chosen,
        every=every,
        unjudged=_unjudged(every, dataset),
        unpredicted=_unpredicted(table, dataset, chosen) if dataset is not None and foreign else 0,
        learnt=learnt,
        val=val if chosen not in ("val", EVERY) and len(val) else None,
        images=None if dataset is None else dataset.images[_places(faces, dataset)],
        metrics_file=metrics_file,
    )


def of_split(table: Predictions, split: str) -> Predictions:
    """Return the predictions of a split, or all of them of `EVERY`."""
    return table if split == EVERY else table.select(table.splits == split)


def _no_face(table: Predictions, split: str, learnt: int) -> str:
    among = f"has a truth among {', '.join(table.labels.expressions)}"
    why = f" that it was not trained on {among}: {learnt:,} others do" if learnt else f" {among}"
    name = table.model or "The predictions"
    return f"{name} cannot be judged: no face of the split {split!r}{why}."


def completed(table: Predictions, dataset: FaceDataset) -> Predictions:
    """Return predictions with what only the dataset knows of the faces.

    What faces show is, for another program's table, as of `truth_for`; mien's own tables say it.
    Who they show and where they are from, another program's table says only where the dataset does
    not; in which split they are it may know better, and what is leaked goes by that.

    Raises:
        MienError: If the dataset lacks one of the faces, or a truth is not the dataset's.
    """
    places = _places(table, dataset)
    faces = dataset.select(places)
    first, second = (table, faces) if table.dataset else (faces, table)
    splits = _either(table.splits, faces.splits)
    own = {"brightness": brightness(faces.images), "sharpness": sharpness(faces.images)}
    return replace(
        table,
        splits=splits,
        subjects=_either(first.subjects, second.subjects),
        sources=_either(first.sources, second.sources),
        truth=(checked_truth if table.dataset else truth_for)(table, faces),
        votes=faces.votes if table.votes is None else table.votes,
        leaked=table.leaked if table.dataset else _leaked(dataset, places, splits),
        measures={**table.measures, **own},
        dataset=table.dataset or dataset.name,
    )


def _leaked(
    dataset: FaceDataset, places: NDArray[np.intp], splits: NDArray[np.str_]
) -> NDArray[np.bool_]:
    """Find leaked faces of those at some places, which are in other splits than they say."""
    of_all = dataset.splits.astype(np.result_type(dataset.splits, splits))
    of_all[places] = splits
    return leaked_faces(replace(dataset, splits=of_all))[places]


def _either(first: NDArray[np.str_], second: NDArray[np.str_]) -> NDArray[np.str_]:
    return np.where(first == "", second, first)


def _unpredicted(table: Predictions, dataset: FaceDataset, split: str) -> int:
    """Count the dataset's faces of a split whose truth can be said and that have no prediction."""
    names = np.array([*dataset.labels.expressions, ""])[dataset.targets]
    wanted = np.isin(names, table.labels.expressions) & ~np.isin(dataset.ids, table.ids)
    return int((wanted & ((dataset.splits == split) | (split == EVERY))).sum())


def _unjudged(every: Predictions, dataset: FaceDataset | None) -> dict[str, int]:
    """Count the faces without a truth, by what the dataset says that they show."""
    left = every.select(every.truth == NO_TARGET)
    if dataset is None:
        return {"unknown": len(left)} if len(left) else {}
    targets = dataset.targets[_places(left, dataset)]
    names = np.array([*dataset.labels.expressions, "unknown"])[targets]
    sayable = np.isin(names, every.labels.expressions)
    found = Counter(np.where(sayable, "no majority of the raters", names).tolist())
    return dict(sorted(found.items()))


def _places(table: Predictions, dataset: FaceDataset) -> NDArray[np.intp]:
    missing = table.ids[~np.isin(table.ids, dataset.ids)]
    if len(missing):
        raise MienError(
            f"Dataset {dataset.name!r} lacks {len(missing)} of the {len(table)} faces that"
            f" {table.model or 'the predictions'} names, {str(missing[0])!r} first."
        )
    return places_of(table.ids, dataset.ids)


def places_of(wanted: NDArray[np.str_], ids: NDArray[np.str_]) -> NDArray[np.intp]:
    """Return where some ids stand among others, which hold them all."""
    order = np.argsort(ids)
    return np.asarray(order[np.searchsorted(ids, wanted, sorter=order)], dtype=np.intp)


def _split(table: Predictions, wanted: str | None) -> str:
    found = sorted({str(split) for split in table.splits} - {""})
    if wanted is not None:
        if wanted not in (*found, EVERY):
            raise MienError(unknown_name("split", wanted, [*found, EVERY]))
        return wanted
    known = set(table.splits[table.truth != NO_TARGET].tolist())
    return next((split for split in ("test", "val") if split in known), EVERY)
