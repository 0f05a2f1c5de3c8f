"""Leaving out what an audit found, and writing down what went and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mien.data.dataset import FaceDataset
from mien.errors import DataError, unknown_name

YES = "yes"


def clean(
    dataset: FaceDataset, findings: Iterable[Mapping[str, str]], drop: Sequence[str]
) -> FaceDataset:
    """Return the dataset without the faces that findings mark for dropping.

    Args:
        dataset: The audited dataset.
        findings: Rows of a `findings.csv`; those with "yes" in the column `drop` count.
        drop: The checks whose findings are applied.

    Raises:
        DataError: If the findings are of another dataset, hold no finding of a check, or nothing
            would be left.
    """
    rows = list(findings)
    found = {row["check"] for row in rows}
    for check in drop:
        if check not in found:
            raise DataError(unknown_name("check among the findings", check, found))
    reasons: dict[str, str] = {}
    for row in rows:
        if row["check"] in drop and row["drop"].strip().lower() == YES:
            reasons.setdefault(row["id"], row["check"])
    keep = ~np.isin(dataset.ids, list(reasons))
    if len(dataset) - int(keep.sum()) != len(reasons):
        foreign = next(name for name in reasons if name not in set(dataset.ids.tolist()))
        raise DataError(
            f"The findings are of another dataset: {dataset.name!r} has no {foreign!r}."
        )
    if not keep.any():
        raise DataError(f"Nothing of dataset {dataset.name!r} would be left.")
    counts = Counter(reasons.values())
    went = ", ".join(f"{counts[check]} {check}" for check in drop)
    return dataset.select(np.flatnonzero(keep), f"cleaned: dropped {went}")
