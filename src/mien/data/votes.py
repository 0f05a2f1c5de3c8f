"""FER+ votes: ten raters an image, joined to FER2013 row by row.

Barsoum et al., "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label
Distribution", ICMI 2016. `fer2013new.csv` has one row for every row of `fer2013.csv`.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.readers.fer2013 import USAGES
from mien.data.tables import csv_rows
from mien.errors import DataError
from mien.labels import EXPRESSIONS, VOTES
from mien.signals import SignalName

Votes = NDArray[np.uint8]
"""uint8 (N, 10): how many raters chose each of `mien.labels.VOTES`."""

COLUMNS = {vote: vote for vote in VOTES} | {"not_a_face": "NF"}
"""The CSV's column for each vote."""

NO_MAJORITY = -1

FEWEST_JUDGED = 100
"""Faces with a label and a majority among known ones, from which on the two are compared."""

LEAST_AGREEING = 0.4
"""Share of those faces of which FER+'s majority must be the label: it is of 68 % in FER2013, and of
18 % where the faces of each split stand in another order than the votes.

The numbers of the column `Image name` do not tell. From row 59 on they are not those of the rows,
as some rows without a name are counted and others are not, and four names stand thousands of rows
away. A face's id is no better: it numbers the rows of its file, in whatever order that is."""


def join_votes(dataset: FaceDataset, path: Path | str) -> FaceDataset:
    """Return the dataset with FER+'s votes.

    Args:
        dataset: FER2013, all rows in their original order.
        path: `fer2013new.csv`.

    Raises:
        DataError: If the file is not FER+'s, its rows are not the dataset's, or its majorities are
            mostly not the labels.
    """
    path = Path(path)
    splits, votes = _read(path)
    if len(votes) != len(dataset):
        raise DataError(
            f"{path} must have one row for each of the {len(dataset)} faces of {dataset.name!r}."
            f" Got {len(votes)} rows instead."
        )
    different = np.flatnonzero(splits != dataset.splits)
    if len(different):
        first = different[0]
        raise DataError(
            f"{path}, row {first + 2}: wanted the split {str(dataset.splits[first])!r} of"
            f" {dataset.ids[first]}, found {str(splits[first])!r}; are both files in their"
            " original order?"
        )
    _check_agreement(dataset, votes, path)
    step = f"joined the FER+ votes of {path.name}"
    return dataclasses.replace(dataset, votes=votes, history=(*dataset.history, step))


def majority(votes: Votes) -> NDArray[np.int64]:
    """Return FER+'s majority label of each face (Barsoum et al., section 4.1).

    Single votes are dropped as noise; the label needs more than half of the remaining votes, those
    for "unknown" and "not a face" counted in the total.

    Args:
        votes: uint8 (N, 10).

    Returns:
        int64 (N,): index into `ferplus8`, or `NO_MAJORITY`.
    """
    kept = np.where(votes > 1, votes, 0).astype(np.int64)
    faces = kept[:, : len(EXPRESSIONS)]
    wins = 2 * faces.max(axis=1) > kept.sum(axis=1)
    return np.where(wins, faces.argmax(axis=1), NO_MAJORITY)


def distribution(votes: Votes) -> NDArray[np.float32]:
    """Return the share of each expression among the raters who named one.

    Args:
        votes: uint8 (N, 10).

    Returns:
        float32 (N, 8) in the order of `ferplus8`; rows sum to 1, or are all 0 where no rater named
        an expression.
    """
    faces = votes[:, : len(EXPRESSIONS)].astype(np.float32)
    total = faces.sum(axis=1, keepdims=True)
    shares: NDArray[np.float32] = np.divide(faces, total, out=np.zeros_like(faces), where=total > 0)
    return shares


def agreement(votes: Votes) -> NDArray[np.float32]:
    """Return the chance that two different raters of a face, drawn at random, said the same.

    Args:
        votes: uint8 (N, 10); "unknown" and "not a face" are things to say, too.

    Returns:
        float32 (N,), 0 to 1; not a number for faces with fewer than two votes.
    """
    counts = votes.astype(np.float32)
    total = counts.sum(axis=1)
    same, pairs = (counts * (counts - 1)).sum(axis=1), total * (total - 1)
    chance: NDArray[np.float32] = np.divide(
        same, pairs, out=np.full_like(same, np.nan), where=pairs > 0
    )
    return chance


def share_not_a_face(votes: Votes) -> NDArray[np.float32]:
    """Return the share of raters who said "not a face".

    Args:
        votes: uint8 (N, 10).

    Returns:
        float32 (N,), 0 to 1; not a number for faces without a vote.
    """
    said = votes[:, VOTES.index("not_a_face")].astype(np.float32)
    total = votes.sum(axis=1, dtype=np.float32)
    share: NDArray[np.float32] = np.divide(
        said, total, out=np.full_like(said, np.nan), where=total > 0
    )
    return share


def _check_agreement(dataset: FaceDataset, votes: Votes, path: Path) -> None:
    """Check that votes are those of the faces they stand beside, as far as labels tell."""
    known = [EXPRESSIONS.index(expression) for expression in dataset.labels.expressions]
    won = majority(votes)
    judged = (dataset.targets != NO_TARGET) & np.isin(won, known)
    agreeing = np.array(known)[dataset.targets[judged]] == won[judged]
    if len(agreeing) >= FEWEST_JUDGED and agreeing.mean() < LEAST_AGREEING:
        raise DataError(
            f"{path}: wanted votes whose majority is the label of {LEAST_AGREEING:.0%} or more of"
            f" the faces of {dataset.name!r}, found {agreeing.mean():.0%} of {len(agreeing)}; are"
            " both files in their original order?"
        )


SIGNAL_TRUTHS: Mapping[SignalName, Callable[[Votes], NDArray[np.float32]]] = {
    "agreement": agreement,
    "not_a_face": share_not_a_face,
}
"""By signal, what votes say it should be: float32 (N,), not a number where they do not tell."""


def _read(path: Path) -> tuple[NDArray[np.str_], Votes]:
    with csv_rows(path) as reader:
        return _parse(reader, path)


def _parse(reader: csv.DictReader[str], path: Path) -> tuple[NDArray[np.str_], Votes]:
    wanted = ["Usage", *COLUMNS.values()]
    missing = [column for column in wanted if column not in (reader.fieldnames or ())]
    if missing:
        raise DataError(f"{path}: wanted FER+'s columns, found no {missing[0]!r}.")
    splits, votes = [], []
    for row in reader:
        where = f"{path}, row {reader.line_num}"
        if row["Usage"] not in USAGES:
            raise DataError(f"{where}: unknown Usage {row['Usage']!r}, known: {', '.join(USAGES)}.")
        splits.append(USAGES[row["Usage"]])
        votes.append([_count(row[column], where) for column in COLUMNS.values()])
    return np.array(splits, dtype=np.str_), np.array(votes, dtype=np.uint8).reshape(-1, len(VOTES))


def _count(text: str | None, where: str) -> int:
    if text is None or not text.strip().isdecimal() or int(text) > 255:
        raise DataError(f"{where}: wanted a number of votes from 0 to 255, found {text!r}.")
    return int(text)
