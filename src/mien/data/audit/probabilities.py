"""Reading out-of-fold probabilities: a table with a column `id` and one per expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.tables import csv_rows
from mien.errors import DataError, MissingExtraError

ID, PREFIX = "id", "p_"

ROUNDING = 0.01
"""How far a row's sum may lie from 1; within that, rows are divided by it."""


def read_probabilities(path: Path, dataset: FaceDataset) -> NDArray[np.float64]:
    """Read probabilities by models that did not learn from the face they judge.

    Args:
        path: CSV, or Parquet by its suffix: a column `id`, and for each expression of the dataset
            one that is called `p_<expression>` or `<expression>`.
        dataset: The faces; all that have a label must be covered.

    Returns:
        float (N, classes), in the order of the dataset's faces and expressions; rows sum to 1, or
        are NaN where a face without a label is not covered.

    Raises:
        DataError: If the file cannot be read, lacks a column or a face, names a face that is not
            in the dataset or twice, or a row holds no probabilities.
        MissingExtraError: For Parquet without pyarrow.
    """
    rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    columns = _columns(path, rows[0] if rows else {}, dataset.labels.expressions)
    positions = {name: index for index, name in enumerate(dataset.ids.tolist())}
    values = np.full((len(dataset), len(columns)), np.nan)
    seen: set[str] = set()
    for row in rows:
        name = str(row[ID])
        if name not in positions or name in seen:
            problem = "twice" if name in seen else f"which dataset {dataset.name!r} does not hold"
            raise DataError(f"{path}: found the face {name!r}, {problem}.")
        seen.add(name)
        values[positions[name]] = _row(row, columns, f"{path}, face {name!r}")
    _check_covered(path, dataset, seen)
    return values


def _check_covered(path: Path, dataset: FaceDataset, seen: set[str]) -> None:
    labelled = dataset.ids[dataset.targets != NO_TARGET].tolist()
    missing = [name for name in labelled if name not in seen]
    if missing:
        raise DataError(
            f"{path}: wanted all {len(labelled)} faces that have a label, found no {missing[0]!r}"
            f" and {len(missing) - 1} others."
        )


def _row(row: Mapping[str, Any], columns: Sequence[str], where: str) -> NDArray[np.float64]:
    try:
        values = np.array([float(row[column]) for column in columns])
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: wanted a number in each of {', '.join(columns)}.") from error
    total = float(values.sum())
    # Written so that it also refuses what is not a number.
    if not (values.min() >= 0 and abs(total - 1) <= ROUNDING):
        raise DataError(
            f"{where}: wanted probabilities from 0 that sum to 1, found"
            f" {', '.join(f'{v:.3g}' for v in values)}."
        )
    return np.asarray(values / total)


def _columns(path: Path, row: Mapping[str, Any], expressions: Iterable[str]) -> list[str]:
    wanted = {e: (PREFIX + e, e) for e in expressions}
    found = [next((n for n in names if n in row), "") for names in wanted.values()]
    missing = [PREFIX + e for e, column in zip(wanted, found) if not column]
    if ID not in row:
        missing.insert(0, ID)
    if missing:
        raise DataError(
            f"{path}: wanted the columns {ID}, {', '.join(PREFIX + e for e in wanted)}; found no"
            f" {missing[0]!r} in {','.join(map(str, row))[:80] or 'an empty table'!r}."
        )
    return found


def _csv(path: Path) -> list[dict[str, Any]]:
    with csv_rows(path) as reader:
        return list(reader)


def _parquet(path: Path) -> list[dict[str, Any]]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Reading Parquet", "parquet") from error
    try:
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}.") from error
    return rows
