"""Short hashes by which findings know the images they are of: ids may be mere numbers of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import FaceDataset
from mien.errors import DataError

COLUMN = "image_hash"
"""The column of the hashes, which findings written by earlier versions lack."""


def image_hash(image: NDArray[np.uint8]) -> str:
    """Return the hash of an image (H, W): its letter keeps spreadsheets from making it a number."""
    return f"h{blake2b(np.ascontiguousarray(image).data, digest_size=6).hexdigest()}"


def check_images(
    dataset: FaceDataset, places: Mapping[str, int], rows: Iterable[Mapping[str, str]]
) -> None:
    """Check that a dataset's images are those of findings, as far as they say and it holds them.

    Args:
        dataset: The dataset.
        places: The position of each of its faces, by the id that the findings have.
        rows: The findings.

    Raises:
        DataError: If a face has another image; names the first.
    """
    for row in rows:
        wanted, place = (row.get(COLUMN) or "").strip(), places.get(row["id"])
        if not wanted or place is None:
            continue
        found = image_hash(dataset.images[place])
        if found != wanted:
            raise DataError(
                f"The image of {row['id']!r} in {dataset.name!r} is another than when it was"
                f" audited, {found} instead of {wanted}: audit this dataset again, unless the"
                " findings are of another one."
            )
