"""Predictions as files: Parquet, which mien writes, and CSV, in which other programs' come.

Columns: `id`; `truth`, `split`, `subject`, `source`, `leaked`; `votes_<vote>`; what is measured of
each picture; and a probability for each expression, `p_<expression>` or just its name in any usual
spelling. Only `id` and the probabilities are needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET
from mien.data.sample import SPLITS
from mien.data.tables import csv_rows
from mien.errors import DataError, MienError
from mien.evaluation.metrics import Probabilities
from mien.evaluation.predictions import MEASURES, Predictions
from mien.files import whole_file
from mien.labels import EXPRESSIONS, VOTES, LabelSet, parse_expression, smallest_label_set

SUFFIXES = (".parquet", ".csv")
METADATA = b"mien"
PREFIXES = ("p_", "prob_", "probability_")
TRUTH = ("truth", "target", "label")
SMALLEST = 1e-30
"""Probabilities below it are kept as this."""

TOLERANCE = 1e-3
"""How far the probabilities of a face may be from adding up to 1."""

Columns = Mapping[str, Sequence[Any]]


def write_predictions(table: Predictions, path: Path) -> None:
    """Write predictions as Parquet: everything that figures are computed from."""
    names = [*table.labels.expressions, None]
    columns: dict[str, Any] = {
        "id": table.ids.tolist(),
        "split": table.splits.tolist(),
        "source": table.sources.tolist(),
        "subject": table.subjects.tolist(),
        "truth": [names[t] for t in table.truth],
        "leaked": table.leaked.tolist(),
    }
    if table.votes is not None:
        columns |= {f"votes_{vote}": column for vote, column in zip(VOTES, table.votes.T)}
    columns |= table.measures
    shares = zip(table.labels.expressions, table.probabilities.T)
    columns |= {f"p_{expression}": column for expression, column in shares}
    about = {
        "model": table.model,
        "dataset": table.dataset,
        "labels": table.labels.name,
        "temperature": table.temperature,
    }
    content = pa.table(columns).replace_schema_metadata({METADATA: json.dumps(about).encode()})
    with whole_file(path) as temporary:
        pq.write_table(content, temporary)


def read_predictions(path: Path) -> Predictions:
    """Read predictions that mien or another program wrote.

    Raises:
        DataError: If the file cannot be read, has no faces, lacks a column, names a face twice or
            holds probabilities that are none; says which row.
    """
    columns, about = _content(path)
    found = _expressions(columns, path)
    ids = _texts(columns, "id", path)
    _check_ids(ids, path)
    labels = _label_set(found, about, path)
    shares = _shares([columns[found[e]] for e in labels.expressions], path)
    temperature = float(about.get("temperature", 1.0))
    return Predictions(
        labels=labels,
        ids=ids,
        splits=_splits(columns, path),
        truth=_truth(columns, labels, path),
        leaked=_flags(columns, len(ids)),
        logits=np.log(np.maximum(shares, SMALLEST)) * temperature,
        subjects=_texts(columns, "subject", path),
        sources=_texts(columns, "source", path),
        votes=_votes(columns),
        measures={m: np.array(columns[m], dtype=np.float64) for m in MEASURES if m in columns},
        model=str(about.get("model", path.stem)),
        dataset=str(about.get("dataset", "")),
        temperature=temperature,
    )


def _content(path: Path) -> tuple[Columns, Mapping[str, Any]]:
    if path.suffix.lower() == ".csv":
        with csv_rows(path) as reader:
            rows = list(reader)
            names = list(reader.fieldnames or ())
        return {name: [row[name] for row in rows] for name in names}, {}
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a Parquet file that can be read: {reason}") from error
    about = json.loads((table.schema.metadata or {}).get(METADATA, b"{}"))
    return table.to_pydict(), about


def _expressions(columns: Columns, path: Path) -> dict[str, str]:
    """Return the column of each expression."""
    found: dict[str, str] = {}
    for column in columns:
        expression = _expression(column)
        if expression is None:
            continue
        if expression in found:
            raise DataError(
                f"{path} has two columns for {expression}: {found[expression]!r} and {column!r}."
            )
        found[expression] = column
    if len(found) < 2:
        raise DataError(
            f"{path} must have a column of probabilities for two or more of"
            f" {', '.join(EXPRESSIONS)}, such as p_anger. Got {', '.join(columns) or 'none'}."
        )
    return found


def _expression(column: str) -> str | None:
    name = column.strip().lower()
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    try:
        return parse_expression(name)
    except MienError:
        return None


def _label_set(found: Mapping[str, str], about: Mapping[str, Any], path: Path) -> LabelSet:
    expressions = tuple(e for e in EXPRESSIONS if e in found)
    own = smallest_label_set(set(expressions))
    if "labels" in about:
        return LabelSet(str(about["labels"]), expressions)
    return own if own.expressions == expressions else LabelSet("+".join(expressions), expressions)


def _check_ids(ids: NDArray[np.str_], path: Path) -> None:
    if not len(ids):
        raise DataError(f"{path} holds no predictions.")
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        repeated = str(values[counts.argmax()])
        raise DataError(f"{path} must name each face once. Got {repeated!r} {counts.max()} times.")


def _shares(columns: Sequence[Sequence[Any]], path: Path) -> Probabilities:
    try:
        shares = np.array(columns, dtype=np.float64).T
    except (TypeError, ValueError) as error:
        raise DataError(f"{path} must hold a number for each probability: {error}.") from error
    bad = np.flatnonzero(~np.isfinite(shares).all(1) | (shares < 0).any(1))
    if len(bad):
        raise DataError(
            f"{path}, row {bad[0] + 1} of {len(shares)}: probabilities must be numbers from 0 to 1."
            f" Got {', '.join(f'{value:g}' for value in shares[bad[0]])}."
        )
    off = np.flatnonzero(np.abs(shares.sum(1) - 1) > TOLERANCE)
    if len(off):
        raise DataError(
            f"{path}, row {off[0] + 1} of {len(shares)}: the probabilities of a face must add up to"
            f" 1. Got {shares[off[0]].sum():g}."
        )
    return shares


def _texts(columns: Columns, name: str, path: Path) -> NDArray[np.str_]:
    if name not in columns:
        if name == "id":
            raise DataError(f"{path} must have a column 'id'. Got {', '.join(columns)}.")
        return np.full(len(next(iter(columns.values()))), "", dtype=np.str_)
    return np.array(["" if value is None else str(value) for value in columns[name]], dtype=np.str_)


def _splits(columns: Columns, path: Path) -> NDArray[np.str_]:
    splits = _texts(columns, "split", path)
    unknown = sorted(set(splits.tolist()) - {*SPLITS, ""})
    if unknown:
        names = ", ".join(filter(None, SPLITS))
        raise DataError(f"{path}: a split must be one of {names}. Got {unknown[0]!r}.")
    return splits


def _truth(columns: Columns, labels: LabelSet, path: Path) -> NDArray[np.int64]:
    named = next((name for name in TRUTH if name in columns), None)
    if named is None:
        return np.full(len(next(iter(columns.values()))), NO_TARGET)
    return np.array([_index(text, labels, path) for text in columns[named]], dtype=np.int64)


def _index(text: str | None, labels: LabelSet, path: Path) -> int:
    if text is None or not str(text).strip():
        return NO_TARGET
    try:
        return labels.index(str(text))
    except MienError as error:
        raise DataError(f"{path}: the truth {text!r} has no column of probabilities.") from error


def _flags(columns: Columns, count: int) -> NDArray[np.bool_]:
    if "leaked" not in columns:
        return np.zeros(count, dtype=bool)
    return np.array([str(value).lower() in ("true", "1") for value in columns["leaked"]])


def _votes(columns: Columns) -> NDArray[np.uint8] | None:
    names = [f"votes_{vote}" for vote in VOTES]
    if any(name not in columns for name in names):
        return None
    return np.array([columns[name] for name in names], dtype=np.uint8).T
