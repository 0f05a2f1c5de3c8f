"""Reading out-of-fold probabilities: a table with a column `id` and one per expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.parquet import parquet_file
from mien.data.shares import ID, ROUNDING, columns_of
from mien.data.tables import column_name, csv_rows, decimal
from mien.errors import DataError


def read_probabilities(path: Path, dataset: FaceDataset) -> NDArray[np.float64]:
    """Read probabilities by models that did not learn from the face they judge.

    Args:
        path: CSV, or Parquet by its suffix: a column `id`, and for each expression of the dataset
            one that is called `p_<expression>` or `<expression>`, in any usual spelling.
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
    id_column, columns = _columns(path, rows[0] if rows else {}, dataset.labels.expressions)
    positions = {name: index for index, name in enumerate(dataset.ids.tolist())}
    values = np.full((len(dataset), len(columns)), np.nan)
    seen: set[str] = set()
    for row in rows:
        name = str(row[id_column])
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
        values = np.array([decimal(row[column]) for column in columns])
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: wanted a number in each of {', '.join(columns)}.") from error
    total = float(values.sum())
    # Written so that it also refuses what is not a number.
    if not (values.min() >= 0 and abs(total - 1) <= len(columns) * ROUNDING):
        raise DataError(
            f"{where}: wanted probabilities from 0 that sum to 1, found"
            f" {', '.join(f'{v:.3g}' for v in values)}."
        )
    return np.asarray(values / total)


def _columns(
    path: Path, row: Mapping[str, Any], expressions: Iterable[str]
) -> tuple[str, list[str]]:
    """Return the column of the ids, and those of the expressions."""
    known = {column_name(column): column for column in row} | columns_of(row, path)
    wanted = [ID, *expressions]
    missing = next((name for name in wanted if name not in known), None)
    if missing is not None:
        raise DataError(
            f"{path}: wanted the columns {ID}, {', '.join(f'p_{e}' for e in wanted[1:])}; found no"
            f" {missing if missing == ID else f'p_{missing}'!r} in"
            f" {', '.join(map(str, row))[:80] or 'an empty table'!r}."
        )
    return known[ID], [known[name] for name in wanted[1:]]


def _csv(path: Path) -> list[dict[str, Any]]:
    with csv_rows(path) as reader:
        return list(reader)


def _parquet(path: Path) -> list[dict[str, Any]]:
    with parquet_file(path) as file:
        rows: list[dict[str, Any]] = file.read().to_pylist()
    return rows
