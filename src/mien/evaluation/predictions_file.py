"""Predictions as files: Parquet, which mien writes, and CSV, in which other programs' come.

Columns: `id`; `truth`, `split`, `subject`, `source`, `leaked`; `votes_<vote>`; what is measured of
each picture; what the model says besides expressions; and a probability for each expression,
`p_<expression>` or just its name in any usual spelling. Only `id` and the probabilities are needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from mien.data.dataset import NO_TARGET
from mien.data.sample import SPLITS
from mien.data.shares import ROUNDING, columns_of
from mien.data.tables import csv_rows, decimal
from mien.errors import DataError, MienError
from mien.evaluation.columns import TRUTH, Columns, named
from mien.evaluation.metrics import Probabilities
from mien.evaluation.origin import Origin
from mien.evaluation.predictions import MEASURES, Predictions, logits_of
from mien.files import whole_file
from mien.labels import (
    EXPRESSIONS,
    LABEL_SETS,
    OWN,
    VOTES,
    LabelSet,
    label_set,
    smallest_label_set,
)
from mien.signals import SIGNALS

SUFFIXES = (".parquet", ".csv")
METADATA = b"mien"

FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False, "": False}


class About(BaseModel):
    """What a file of mien's says of itself, in its metadata."""

    model: str = ""
    dataset: str = ""
    labels: str = ""
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    origin: Origin = Origin()


def write_predictions(table: Predictions, path: Path, *, single_precision: bool = False) -> None:
    """Write predictions as Parquet: everything that figures are computed from.

    Args:
        table: The predictions.
        path: The file.
        single_precision: Whether probabilities are written with 7 digits, in half the space.
    """
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
    columns |= {str(name): values for name, values in table.signals.items()}
    numbers = table.probabilities.astype(np.float32 if single_precision else np.float64)
    shares = zip(table.labels.expressions, numbers.T)
    columns |= {f"p_{expression}": column for expression, column in shares}
    about = About(
        model=table.model,
        dataset=table.dataset,
        labels=table.labels.name,
        temperature=table.temperature,
        origin=table.origin,
    )
    content = pa.table(columns).replace_schema_metadata({METADATA: about.model_dump_json()})
    with whole_file(path) as temporary:
        pq.write_table(content, temporary)


def read_predictions(path: Path) -> Predictions:
    """Read predictions that mien or another program wrote.

    Raises:
        DataError: If the file cannot be read, has no faces, lacks a column, names a face twice or
            holds probabilities that are none; says which row.
    """
    content, about = _content(path)
    columns = named(content, path)
    _check_rows(columns, path)
    found = _expressions(columns, path)
    ids = _texts(columns, "id", path)
    _check_ids(ids, path)
    labels = _label_set(found, about, path)
    shares = _shares([columns[found[e]] for e in labels.expressions], path)
    temperature = about.temperature
    return Predictions(
        labels=labels,
        ids=ids,
        splits=_splits(columns, path),
        truth=_truth(columns, labels, path),
        leaked=_flags(columns, len(ids), path),
        logits=logits_of(shares, temperature),
        subjects=_texts(columns, "subject", path),
        sources=_texts(columns, "source", path),
        votes=_votes(columns, path),
        measures={m: _numbers(columns, m, path) for m in MEASURES if m in columns},
        signals={s: _numbers(columns, s, path) for s in SIGNALS if s in columns},
        model=about.model or path.stem,
        dataset=about.dataset,
        temperature=temperature,
        origin=about.origin,
    )


def _content(path: Path) -> tuple[Columns, About]:
    if path.suffix.lower() == ".csv":
        return _csv(path), About()
    if not path.exists():
        raise DataError(f"{path} does not exist.")
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a Parquet file that can be read: {reason}") from error
    try:
        about = About.model_validate_json((table.schema.metadata or {}).get(METADATA, b"{}"))
    except ValidationError as error:
        raise DataError(f"{path} has metadata {METADATA.decode()!r} that is not mien's.") from error
    return table.to_pydict(), about


def _csv(path: Path) -> Columns:
    with csv_rows(path) as reader:
        rows = list(reader)
        names = list(reader.fieldnames or ())
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(f"{path} has two columns {repeated!r}.")
    return {name: [row[name] for row in rows] for name in names}


def _check_rows(columns: Columns, path: Path) -> None:
    if not columns or not len(next(iter(columns.values()))):
        raise DataError(f"{path} holds no predictions.")


def _expressions(columns: Columns, path: Path) -> dict[str, str]:
    """Return the column of each expression."""
    found = columns_of(columns, path)
    if len(found) < 2:
        raise DataError(
            f"{path} must have a column of probabilities for two or more of"
            f" {', '.join(EXPRESSIONS)}, such as p_anger. Got {', '.join(columns) or 'none'}."
        )
    return found


def _label_set(found: Mapping[str, str], about: About, path: Path) -> LabelSet:
    expressions = tuple(e for e in EXPRESSIONS if e in found)
    own = smallest_label_set(set(expressions))
    if own.expressions != expressions:
        own = LabelSet(OWN.join(expressions), expressions)
    if about.labels in LABEL_SETS and label_set(about.labels).expressions == expressions:
        return label_set(about.labels)
    return own


def _check_ids(ids: NDArray[np.str_], path: Path) -> None:
    empty = np.flatnonzero(ids == "")
    if len(empty):
        raise DataError(f"{path}, row {empty[0] + 1} of {len(ids)}: the id is empty.")
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        repeated = str(values[counts.argmax()])
        raise DataError(f"{path} must name each face once. Got {repeated!r} {counts.max()} times.")


def _shares(columns: Sequence[Sequence[Any]], path: Path) -> Probabilities:
    shares = np.array(
        [[_number(value, row, path) for row, value in enumerate(c)] for c in columns]
    ).T
    bad = np.flatnonzero(~np.isfinite(shares).all(1) | (shares < 0).any(1))
    if len(bad):
        raise DataError(
            f"{path}, row {bad[0] + 1} of {len(shares)}: probabilities must be numbers from 0 to 1."
            f" Got {', '.join(f'{value:g}' for value in shares[bad[0]])}."
        )
    off = np.flatnonzero(np.abs(shares.sum(1) - 1) > len(columns) * ROUNDING)
    if len(off):
        raise DataError(
            f"{path}, row {off[0] + 1} of {len(shares)}: the probabilities of a face must add up to"
            f" 1. Got {shares[off[0]].sum():g}."
        )
    return shares


def _number(value: Any, row: int, path: Path) -> float:
    try:
        return decimal(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}, row {row + 1}: wanted a number, found {value!r}.") from error


def _numbers(columns: Columns, name: str, path: Path) -> NDArray[np.float64]:
    """Return a column of numbers; empty cells are not numbers."""
    cells = (np.nan if value in ("", None) else value for value in columns[name])
    return np.array([_number(value, row, path) for row, value in enumerate(cells)])


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
    cells = enumerate(columns[named], start=1)
    return np.array([_index(text, row, labels, path) for row, text in cells], dtype=np.int64)


def _index(text: str | None, row: int, labels: LabelSet, path: Path) -> int:
    if text is None or not str(text).strip():
        return NO_TARGET
    try:
        return labels.index(str(text))
    except MienError as error:
        raise DataError(
            f"{path}, row {row}: the truth {text!r} has no column of probabilities."
        ) from error


def _flags(columns: Columns, count: int, path: Path) -> NDArray[np.bool_]:
    if "leaked" not in columns:
        return np.zeros(count, dtype=bool)
    cells = ["" if value is None else str(value).strip().lower() for value in columns["leaked"]]
    for row, cell in enumerate(cells, start=1):
        if cell not in FLAGS:
            raise DataError(f"{path}, row {row}: leaked must be true or false. Got {cell!r}.")
    return np.array([FLAGS[cell] for cell in cells])


def _votes(columns: Columns, path: Path) -> NDArray[np.uint8] | None:
    names = [f"votes_{vote}" for vote in VOTES]
    missing = [name for name in names if name not in columns]
    if len(missing) == len(names):
        return None
    if missing:
        raise DataError(f"{path} must have all ten columns of votes. It lacks {missing[0]!r}.")
    counts = np.stack([_numbers(columns, name, path) for name in names], axis=1)
    bad = ~((counts >= 0) & (counts <= 255) & (counts == counts.round())).all(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"{path}, row {row + 1}: votes must be whole numbers from 0 to 255.")
    return counts.astype(np.uint8)
