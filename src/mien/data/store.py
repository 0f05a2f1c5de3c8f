"""A dataset on disk: `faces.parquet` beside a small `dataset.json`.

The Parquet file opens with pandas and with Hugging Face `datasets`, which shows its column `image`
as pictures: each is a PNG in a struct `{bytes, path}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.progress import track

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.parquet import parquet_file, pyarrow_parquet
from mien.data.store_table import TEXT_COLUMNS, image_type, write_faces
from mien.errors import DataError
from mien.files import LEFT_BY_VIEWERS, check_folder, whole_folder
from mien.labels import VOTES, LabelSet

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

TABLE = "faces.parquet"
MANIFEST = "dataset.json"
FORMAT = 1
FEATURE = "A dataset store"


class _Labels(BaseModel):
    name: str
    expressions: tuple[str, ...]


class _Manifest(BaseModel):
    """What reading a store needs of its manifest; the rest is for people."""

    name: str
    labels: _Labels
    fingerprint: str
    history: tuple[str, ...]


def write_store(dataset: FaceDataset, folder: Path | str, *, progress: bool = False) -> None:
    """Write a dataset to a folder, which is replaced whole.

    Raises:
        MissingExtraError: If pyarrow is not installed.
        MienError: As `check_place` does.
    """
    folder = Path(folder)
    check_place(folder)
    pyarrow_parquet(FEATURE)
    with whole_folder(folder) as temporary:
        write_faces(dataset, temporary / TABLE, progress=progress)
        manifest = json.dumps(_manifest(dataset), indent=2, ensure_ascii=False)
        (temporary / MANIFEST).write_text(manifest + "\n", encoding="utf-8")


def read_store(folder: Path | str, *, progress: bool = False) -> FaceDataset:
    """Read a dataset that `write_store` wrote.

    Raises:
        MissingExtraError: If pyarrow is not installed.
        DataError: If the folder is no store, or its content is not what its fingerprint says.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)
    with parquet_file(folder / TABLE, FEATURE) as file:
        dataset = _dataset(file, manifest, folder, progress)
    if dataset.fingerprint != manifest.fingerprint:
        raise DataError(f"{folder} was changed since it was written: its fingerprint differs.")
    return dataset


def check_place(folder: Path) -> None:
    """Check that a store may be written to a folder, before anything long begins.

    What stands there is replaced whole, so it must be nothing but a store that mien wrote.

    Raises:
        DataError: If the folder is the working folder, or exists, is not empty, and is not a store
            or holds other files than a store's.
        MienError: If it is to stand in a file.
    """
    check_folder(folder.parent)
    if folder.resolve() == Path.cwd():
        raise DataError(f"{folder} is the working folder, which cannot be replaced: name another.")
    if not folder.exists() or _is_empty(folder):
        return
    if not is_store(folder):
        raise DataError(f"{folder} exists and is not a dataset store: it holds no {MANIFEST}.")
    _read_manifest(folder)
    others = {path.name for path in folder.iterdir()} - {TABLE, MANIFEST, *LEFT_BY_VIEWERS}
    if others:
        raise DataError(
            f"{folder} would be replaced whole, but holds more than a dataset: {min(others)}."
        )


def is_store(path: Path) -> bool:
    """Say whether a path is a folder with a manifest."""
    return (path / MANIFEST).is_file()


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _manifest(dataset: FaceDataset) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": dataset.name,
        "labels": {"name": dataset.labels.name, "expressions": dataset.labels.expressions},
        "votes": None if dataset.votes is None else VOTES,
        "faces": len(dataset),
        "size": dataset.images.shape[1:],
        "counts": dataset.counts(),
        "fingerprint": dataset.fingerprint,
        "history": dataset.history,
    }


def _read_manifest(folder: Path) -> _Manifest:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise DataError(f"{path} must be a dataset manifest of format {FORMAT}.")
    try:
        return _Manifest.model_validate(manifest)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(f"{path}: {key}: {first['msg']}.") from error


def _dataset(
    file: pq.ParquetFile, manifest: _Manifest, folder: Path, progress: bool
) -> FaceDataset:
    labels = LabelSet(manifest.labels.name, manifest.labels.expressions)
    _check_schema(file.schema_arrow, folder)
    columns = ("label", *TEXT_COLUMNS, "votes")
    table = file.read(columns=[c for c in columns if c in file.schema_arrow.names])
    text = {c: np.array(table[c].to_pylist(), dtype=np.str_) for c in TEXT_COLUMNS}
    return FaceDataset(
        name=manifest.name,
        labels=labels,
        images=_decoded(file, folder, progress),
        targets=_targets(table, labels, folder),
        splits=text["split"],
        subjects=text["subject"],
        sources=text["source"],
        ids=text["id"],
        votes=_votes(table, folder),
        history=manifest.history,
    )


def _check_schema(schema: pa.Schema, folder: Path) -> None:
    import pyarrow as pa

    wanted = dict.fromkeys(("label", *TEXT_COLUMNS), pa.string())
    wanted["image"] = image_type()
    for column, kind in wanted.items():
        if column not in schema.names:
            raise DataError(f"{folder / TABLE} lacks the column {column!r}.")
        found = schema.field(column).type
        if found != kind:
            raise DataError(f"{folder / TABLE}: wanted {column!r} as {kind}, found {found}.")


def _votes(table: pa.Table, folder: Path) -> NDArray[np.uint8] | None:
    """Return the votes (N, 10), also where another program has stored them as wider integers."""
    if "votes" not in table.column_names:
        return None
    rows = table["votes"].to_pylist()
    for row, counts in enumerate(rows, start=1):
        if not _are_votes(counts):
            raise DataError(
                f"{folder / TABLE}, row {row}: wanted 'votes' as {len(VOTES)} whole numbers from 0"
                f" to 255, found {counts}."
            )
    return np.array(rows, dtype=np.uint8)


def _are_votes(counts: object) -> bool:
    if not isinstance(counts, list) or len(counts) != len(VOTES):
        return False
    return all(isinstance(count, int) and 0 <= count <= 255 for count in counts)


def _targets(table: pa.Table, labels: LabelSet, folder: Path) -> NDArray[np.int64]:
    known: dict[str | None, int] = {e: i for i, e in enumerate(labels.expressions)}
    known[None] = NO_TARGET
    expressions = table["label"].to_pylist()
    for row, expression in enumerate(expressions, start=1):
        if expression not in known:
            raise DataError(
                f"{folder / TABLE}, row {row}: wanted one of {', '.join(labels.expressions)},"
                f" found {expression!r}."
            )
    return np.array([known[expression] for expression in expressions], dtype=np.int64)


def _decoded(file: pq.ParquetFile, folder: Path, progress: bool) -> NDArray[np.uint8]:
    count, images = file.metadata.num_rows, None
    for row, picture in enumerate(_bar(_pictures(file), "Reading", count, progress)):
        content = picture.as_py() or b""
        encoded = np.frombuffer(content, dtype=np.uint8)
        image = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) if content else None
        if image is None or (images is not None and image.shape != images.shape[1:]):
            raise DataError(
                f"{folder / TABLE}, row {row + 1}: the image is not a PNG of the others' size."
            )
        if images is None:
            images = np.empty((count, *image.shape), dtype=np.uint8)
        images[row] = image
    return np.empty((0, 0, 0), np.uint8) if images is None else images


def _pictures(file: pq.ParquetFile) -> Iterator[Any]:
    """Give the pictures group by group: those of a large dataset do not fit into one table."""
    for group in range(file.num_row_groups):
        for chunk in file.read_row_group(group, columns=["image"])["image"].chunks:
            yield from chunk.field("bytes")


def _bar(items: Iterable[Any], verb: str, total: int, progress: bool) -> Iterable[Any]:
    console = Console(stderr=True)
    return track(items, f"{verb} faces", total=total, console=console, disable=not progress)
