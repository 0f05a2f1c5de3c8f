"""Leaving out what an audit found, and writing down what went and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mien.data.audit import CHECKS
from mien.data.dataset import FaceDataset
from mien.errors import DataError, unknown_name

YES, NO = "yes", "no"


def clean(
    dataset: FaceDataset,
    findings: Iterable[Mapping[str, str]],
    drop: Sequence[str],
    splits: Sequence[str] = (),
) -> FaceDataset:
    """Return the dataset without the faces that findings mark for dropping.

    Args:
        dataset: The audited dataset.
        findings: Rows of a `findings.csv`; those with "yes" in the column `drop` count. Rows
            without an id, of files that could not be read, have nothing to leave out.
        drop: The checks whose findings are applied.
        splits: Leave out faces of these only; none for all.

    Raises:
        DataError: If the findings are of another dataset, a row is cut short or neither dropped
            nor kept, there is no check or split of a name, or nothing would be left.
    """
    rows, may_go = list(findings), in_splits(dataset, splits)
    gone = np.zeros(len(dataset), dtype=bool)
    went = []
    for check in dict.fromkeys(drop):
        own = [row for row in rows if row["check"] == check]
        if not own and check not in CHECKS:  # those that ran may have found nothing
            raise DataError(unknown_name("check", check, CHECKS))
        found = with_copies(*_marks(dataset, own), may_go)
        # A face that several checks mark counts for the one that is named first.
        count = int((found & ~gone).sum())
        went.append(f"{count} {check}" + ("" if own else " (the findings hold none)"))
        gone |= found
    if gone.all():
        raise DataError(f"Nothing of dataset {dataset.name!r} would be left.")
    step = f"cleaned{words_of(splits)}: dropped {', '.join(went)}"
    return dataset.select(np.flatnonzero(~gone), step)


def in_splits(dataset: FaceDataset, splits: Sequence[str]) -> NDArray[np.bool_]:
    """Return which faces are of some splits, bool (N,): all, if none is named.

    Raises:
        DataError: If the dataset has no split of a name.
    """
    if not splits:
        return np.ones(len(dataset), dtype=bool)
    there = [name for name in np.unique(dataset.splits).tolist() if name]
    for name in splits:
        if name not in there:
            known = unknown_name("split", name, there)
            raise DataError(f"Dataset {dataset.name!r} cannot be cleaned in part: {known}")
    return np.isin(dataset.splits, splits)


def with_copies(
    marked: NDArray[np.bool_], groups: NDArray[np.int64], may_go: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which faces one check leaves out where not all may go.

    Of copies all but one are marked. Where a marked one may not go, as it is a test face, those of
    its group that may go do: else a copy would stay on both sides.

    Args:
        marked: bool (N,), what the check marks.
        groups: int (N,), the group within the check; -1 for none.
        may_go: bool (N,).
    """
    staying = groups[marked & ~may_go]
    return may_go & (marked | np.isin(groups, staying[staying >= 0]))


def words_of(splits: Sequence[str]) -> str:
    """Return the words that tell which splits were cleaned, if not all."""
    return f" of {', '.join(dict.fromkeys(splits))}" if splits else ""


def _marks(
    dataset: FaceDataset, rows: Iterable[Mapping[str, str]]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return what a check marks for dropping, bool (N,), and the groups it found, -1 for none."""
    places = {name: place for place, name in enumerate(dataset.ids.tolist())}
    marked, groups = np.zeros(len(dataset), dtype=bool), np.full(len(dataset), -1)
    for row in rows:
        if not row["id"]:
            continue  # a file that could not be read
        dropped, place = _dropped(row), places.get(row["id"])
        if place is not None:
            marked[place] = dropped
            groups[place] = int(row["group"]) if row["group"].isdecimal() else -1
        elif dropped:
            raise DataError(
                f"The findings are of another dataset: {dataset.name!r} has no {row['id']!r}."
            )
    return marked, groups


def _dropped(row: Mapping[str, str | None]) -> bool:
    said = row["drop"]  # None where the row is shorter than the others
    if said is None or said.strip().lower() not in (YES, NO):
        raise DataError(
            f"The findings must say {YES} or {NO} in the column 'drop'. Got {said!r} for"
            f" {row['id']!r} instead."
        )
    return said.strip().lower() == YES
