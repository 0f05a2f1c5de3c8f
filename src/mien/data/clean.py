"""Leaving out what an audit found, and writing down what went and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.data.audit import CHECKS
from mien.data.audit.image_hash import check_images
from mien.data.audit.similar import NAME as SIMILAR
from mien.data.audit.subjects import NAME as SUBJECTS
from mien.data.balance import repeated_id
from mien.data.dataset import FaceDataset
from mien.data.groups import joined
from mien.data.top_folder import ids_as_in
from mien.errors import DataError, unknown_name

YES, NO = "yes", "no"

GROUP = re.compile(r"([0-9]{1,18})(\.0+)?")
"""A group's number, also as programs write a column of numbers in which some are missing."""


def clean(
    dataset: FaceDataset,
    findings: Iterable[Mapping[str, str]],
    drop: Sequence[str],
    splits: Sequence[str] = (),
) -> FaceDataset:
    """Return the dataset without the faces that findings mark for dropping.

    Args:
        dataset: The audited dataset.
        findings: Rows of a `findings.csv`; those with "yes" in the column `drop` count. Of several
            rows of a check about one face a "no" counts. Rows without an id, of files that could
            not be read, have nothing to leave out. A face may be named with the top folder of an
            archive or without, as `ids_as_in` says.
        drop: The checks whose findings are applied.
        splits: Leave out faces of these only; none for all.

    Raises:
        DataError: If the findings are of another dataset or of other images, the one face of a
            group that they keep is missing, a row is cut short, neither dropped nor kept or without
            a group's number, there is no check or split of a name, subjects are to go of train
            alone, or nothing would be left.
    """
    if SUBJECTS in drop and set(splits) == {"train"}:
        raise DataError(
            f"The check {SUBJECTS!r} marks faces of val and test: it cannot clean train alone."
        )
    rows = list(findings)
    places = _places(dataset, rows)
    check_images(dataset, places, [row for row in rows if row["check"] in drop and _dropped(row)])
    marks = []
    for check in dict.fromkeys(drop):
        own = [row for row in rows if row["check"] == check]
        if not own and check not in CHECKS:  # those that ran may have found nothing
            raise DataError(unknown_name("check", check, CHECKS))
        name = check if own else f"{check} (the findings hold none)"
        marks.append(Marks(name, *_marks(dataset.name, places, own)))
    return leave_out(dataset, marks, splits)


@dataclass(frozen=True)
class Marks:
    """What a check says of each face of a dataset.

    Args:
        name: The check's, for the dataset's history.
        marked: bool (N,), what it marks for dropping.
        groups: int (N,), the group of alike faces that it found; -1 for none.
    """

    name: str
    marked: NDArray[np.bool_]
    groups: NDArray[np.int64]


def leave_out(
    dataset: FaceDataset, marks: Iterable[Marks], splits: Sequence[str] = ()
) -> FaceDataset:
    """Return the dataset without marked faces; its history says how many of which check.

    Of copies that were to go because another is kept one stays if that other goes, too.

    Args:
        dataset: Any.
        marks: By check; a face that several mark counts for the first.
        splits: Leave out faces of these only; none for all.

    Raises:
        DataError: If there is no split of a name, or nothing would be left.
    """
    marks = list(marks)
    may_go = _in_splits(dataset, splits)
    found = [_with_copies(one, may_go) for one in marks]
    needed = _needed(dataset, marks, found)
    gone = np.zeros(len(dataset), dtype=bool)
    went = []
    for one, of_it in zip(marks, found):
        went.append(f"{int((of_it & ~needed & ~gone).sum())} {one.name}")
        gone |= of_it & ~needed
    if gone.all():
        raise DataError(f"Nothing of dataset {dataset.name!r} would be left.")
    of = f" of {', '.join(dict.fromkeys(splits))}" if splits else ""
    return dataset.select(np.flatnonzero(~gone), f"cleaned{of}: dropped {', '.join(went)}")


def _in_splits(dataset: FaceDataset, splits: Sequence[str]) -> NDArray[np.bool_]:
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


def _with_copies(marks: Marks, may_go: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which faces one check leaves out where not all may go, bool (N,).

    Of copies all but one are marked. Where a marked one may not go, as it is a test face, those of
    its group that may go do: else a copy would stay on both sides.
    """
    staying = marks.groups[marks.marked & ~may_go]
    return may_go & (marks.marked | np.isin(marks.groups, staying[staying >= 0]))


def _needed(
    dataset: FaceDataset, marks: Sequence[Marks], found: Sequence[NDArray[np.bool_]]
) -> NDArray[np.bool_]:
    """Return which of the faces found are to stay as their copies would all be gone, bool (N,).

    Args:
        dataset: The dataset.
        marks: By check.
        found: bool (N,) of each, what it leaves out.
    """
    count = len(found[0]) if found else 0
    gone, surely = np.zeros((2, count), dtype=bool)
    numbers = np.arange(count)
    for one, of_it in zip(marks, found):
        firsts = _firsts(dataset, one)
        gone |= of_it
        surely |= of_it & ((firsts < 0) | ~one.marked)  # unmarked ones go for one that stays
        copies = np.flatnonzero(firsts >= 0)
        numbers = joined(numbers, np.stack([copies, firsts[copies]], axis=1))
    lost = gone & ~surely & ~np.isin(numbers, numbers[~gone])
    needed = np.zeros(count, dtype=bool)
    needed[np.flatnonzero(lost)[np.unique(numbers[lost], return_index=True)[1]]] = True
    return needed


def _firsts(dataset: FaceDataset, marks: Marks) -> NDArray[np.intp]:
    """Return the first face of the copies each face is among, int (N,); -1 for none.

    Where the first is marked itself, nobody knows which label is right, or a person chose: none of
    the others stands in for it.
    """
    copies = _copies(dataset, marks)
    numbers, firsts, members = np.unique(copies, return_index=True, return_inverse=True)
    there = (numbers >= 0) & ~marks.marked[firsts]
    chosen: NDArray[np.intp] = np.where(there, firsts, -1)[members]
    return chosen


def _copies(dataset: FaceDataset, marks: Marks) -> NDArray[np.int64]:
    """Return the number of the copies each face is among, int (N,); -1 for none.

    All images of a person are a group of the check of subjects, and no copies. Near-copies are
    copies where they have one label; across train and val or test none comes back, lest it leaks.
    """
    if marks.name != SIMILAR:
        return marks.groups if marks.name != SUBJECTS else np.full_like(marks.groups, -1)
    sides = [dataset.splits == "train", np.isin(dataset.splits, ["val", "test"])]
    across = np.all([np.isin(marks.groups, marks.groups[side]) for side in sides], axis=0)
    pairs = np.stack([marks.groups, dataset.targets], axis=1)
    numbers = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1)
    return np.where((marks.groups < 0) | across, -1, numbers)


def _places(dataset: FaceDataset, rows: Iterable[Mapping[str, str]]) -> dict[str, int]:
    """Return the position of each face of the dataset, by the id that the findings have."""
    called = ids_as_in((row["id"] for row in rows if row["id"]), dataset.ids.tolist())
    return {name: place for place, name in enumerate(called)}


def _marks(
    dataset: str, places: Mapping[str, int], rows: Sequence[Mapping[str, str]]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return a check's marks and groups, as `Marks` has them, from its rows of findings.

    Args:
        dataset: The dataset's name.
        places: The position of each of its faces, by the id that the findings have.
        rows: The check's.
    """
    named = {row["id"] for row in rows}
    marked, kept = np.zeros((2, len(places)), dtype=bool)
    groups = np.full(len(places), -1)
    parts: dict[int, tuple[int, str]] = {}
    missing: dict[tuple[int, str], str] = {}
    for row in rows:
        if not row["id"]:
            continue  # a file that could not be read
        dropped, place = _dropped(row), places.get(row["id"])
        copy = repeated_id(row["id"], 2)
        if dropped and copy in places and copy not in named:
            raise DataError(
                f"{row['id']!r} is repeated in dataset {dataset!r}, and its copies would stay:"
                " clean first, then balance."
            )
        if place is not None:
            (marked if dropped else kept)[place] = True
            groups[place], parts[place] = _group(row), _part(row)
        elif dropped:
            raise _of_another(dataset, row["id"])
        elif row["check"] != SUBJECTS:
            missing[_part(row)] = row["id"]
    marked &= ~kept
    # Without the copy that was to stay the others must not go.
    for part in sorted(_lost(parts, marked) & missing.keys()):
        raise _of_another(dataset, missing[part])
    return marked, groups


def _lost(parts: Mapping[int, tuple[int, str]], marked: NDArray[np.bool_]) -> set[tuple[int, str]]:
    """Return the copies, as `_part` has them, of which all that are there go."""
    stay = {part for place, part in parts.items() if not marked[place]}
    return {part for part in parts.values() if part[0] >= 0} - stay


def _of_another(dataset: str, face: str) -> DataError:
    return DataError(
        f"The findings are of another dataset: {dataset!r} has no {face!r}; or it was cleaned"
        " away before: apply all checks at once, each with a --drop."
    )


def _dropped(row: Mapping[str, str | None]) -> bool:
    said = row["drop"]  # None where the row is shorter than the others
    if said is None or said.strip().lower() not in (YES, NO):
        raise DataError(
            f"The findings must say {YES} or {NO} in the column 'drop'. Got {said!r} for"
            f" {row['id']!r} instead."
        )
    return said.strip().lower() == YES


def _group(row: Mapping[str, str | None]) -> int:
    said = (row["group"] or "").strip()
    number = GROUP.fullmatch(said)
    if said and number is None:
        raise DataError(
            f"The findings must have a group's number or nothing in the column 'group'. Got"
            f" {said!r} for {row['id']!r} instead."
        )
    return int(number[1]) if number else -1


def _part(row: Mapping[str, str | None]) -> tuple[int, str]:
    """Return a finding's group and, as copies of several labels may be in it, the label."""
    return _group(row), (row.get("expression") or "") if row["check"] == SIMILAR else ""
