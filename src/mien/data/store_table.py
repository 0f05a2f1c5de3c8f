"""The table of a store: its columns, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from mien.data.dataset import FaceDataset

if TYPE_CHECKING:
    import pyarrow as pa

TEXT_COLUMNS = ("id", "split", "subject", "source")

GROUP, GROUP_PIXELS = 4096, 16 * 2**20
"""Most faces of a row group, and most pixels of their images: as many as of faces of 64x64."""

_FAST_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def write_faces(dataset: FaceDataset, path: Path, *, progress: bool = False) -> None:
    """Write a dataset's faces as Parquet.

    One row group is held at a time: all pictures may not fit into the memory a second time.

    Args:
        dataset: Any.
        path: The file.
        progress: Whether to show a bar.

    Raises:
        OSError: If it cannot be written.
    """
    import pyarrow.parquet

    schema, rows = _schema(dataset), min(GROUP, max(1, GROUP_PIXELS // dataset.images[0].size))
    starts = range(0, len(dataset), rows)
    bar = track(starts, "Writing faces", console=Console(stderr=True), disable=not progress)
    # pyarrow takes files by any name, but paths in UTF-8 only.
    with (
        path.open("wb") as file,
        pyarrow.parquet.ParquetWriter(file, schema, compression="none") as writer,
    ):
        for start in bar:
            which = np.arange(start, min(start + rows, len(dataset)))
            writer.write_table(_table(dataset.select(which), schema))


def image_type() -> pa.DataType:
    """Return the type of the column `image`, which Hugging Face `datasets` shows as pictures."""
    import pyarrow as pa

    return pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def _schema(dataset: FaceDataset) -> pa.Schema:
    import pyarrow as pa

    fields = {"image": image_type()}
    fields |= dict.fromkeys(("label", *TEXT_COLUMNS), pa.string())
    if dataset.votes is not None:
        fields["votes"] = pa.list_(pa.uint8())
    return pa.schema(fields, {b"huggingface": _hugging_face(fields)})


def _table(dataset: FaceDataset, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    names = [*dataset.labels.expressions, None]  # NO_TARGET is -1: the last entry
    columns: dict[str, Any] = {
        "image": _encoded(dataset),
        "label": [names[t] for t in dataset.targets],
        "id": dataset.ids.tolist(),
        "split": dataset.splits.tolist(),
        "subject": dataset.subjects.tolist(),
        "source": dataset.sources.tolist(),
    }
    if dataset.votes is not None:
        columns["votes"] = dataset.votes.tolist()
    return pa.table(columns, schema=schema)


def _encoded(dataset: FaceDataset) -> list[dict[str, Any]]:
    return [
        {"bytes": cv2.imencode(".png", image, _FAST_PNG)[1].tobytes(), "path": f"{name}.png"}
        for image, name in zip(dataset.images, dataset.ids)
    ]


def _hugging_face(columns: Iterable[str]) -> bytes:
    features: dict[str, Any] = {c: {"dtype": "string", "_type": "Value"} for c in columns}
    features["image"] = {"_type": "Image"}
    if "votes" in features:
        features["votes"] = {"feature": {"dtype": "uint8", "_type": "Value"}, "_type": "Sequence"}
    return json.dumps({"info": {"features": features}}).encode()
