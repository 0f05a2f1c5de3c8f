"""Leaving out what an audit found, and writing down what went and why."""

from __future__ import annotations

from collections import Counter
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
    rows = list(findings)
    found = {row["check"] for row in rows}  # fewer than there are checks: some find nothing
    checks = list(dict.fromkeys(drop))
    reasons: dict[str, str] = {}
    for check in checks:
        if check not in found and check not in CHECKS:
            raise DataError(unknown_name("check", check, CHECKS))
        # A face that several checks mark counts for the one that is named first.
        for name in _marked(rows, check):
            reasons.setdefault(name, check)
    named = np.isin(dataset.ids, list(reasons))
    if int(named.sum()) != len(reasons):
        foreign = next(name for name in reasons if name not in set(dataset.ids.tolist()))
        raise DataError(
            f"The findings are of another dataset: {dataset.name!r} has no {foreign!r}."
        )
    gone = named & in_splits(dataset, splits)
    if gone.all():
        raise DataError(f"Nothing of dataset {dataset.name!r} would be left.")
    counts = Counter(reasons[name] for name in dataset.ids[gone].tolist())
    went = ", ".join(
        f"{counts[check]} {check}" + ("" if check in found else " (the findings hold none)")
        for check in checks
    )
    return dataset.select(np.flatnonzero(~gone), f"cleaned{of_splits(splits)}: dropped {went}")


def in_splits(dataset: FaceDataset, splits: Sequence[str]) -> NDArray[np.bool_]:
    """Return which faces are of some splits, bool (N,): all, if none is named.

    Raises:
        DataError: If the dataset has no split of a name.
    """
    there = np.unique(dataset.splits).tolist()
    for name in splits:
        if name not in there:
            raise DataError(unknown_name("split", name, there))
    return np.isin(dataset.splits, splits or there)


def of_splits(splits: Sequence[str]) -> str:
    """Return the words that tell which splits were cleaned, if not all."""
    return f" of {', '.join(splits)}" if splits else ""


def _marked(rows: Iterable[Mapping[str, str]], check: str) -> list[str]:
    """Return the ids that a check marks; a file that could not be read has none."""
    own = [row for row in rows if row["check"] == check and row["id"]]
    return [row["id"] for row in own if _dropped(row)]


def _dropped(row: Mapping[str, str | None]) -> bool:
    said = row["drop"]  # None where the row is shorter than the others
    if said is None or said.strip().lower() not in (YES, NO):
        raise DataError(
            f"The findings must say {YES} or {NO} in the column 'drop'. Got {said!r} for"
            f" {row['id']!r} instead."
        )
    return said.strip().lower() == YES
