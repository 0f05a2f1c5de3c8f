"""Photos of any size as faces of a network's size: what fine-tuning on one's own folder needs."""

from __future__ import annotations

import warnings
from pathlib import Path

import PIL.Image

from mien.data.archive import DAMAGED
from mien.data.dataset import FaceDataset
from mien.data.pictures import Entry, PictureReader
from mien.data.prepare.outcome import Outcome
from mien.data.prepare.run import RawDataset, list_pictures, prepare, prepared_dataset
from mien.data.prepare.settings import NO_DETECTOR, Preparation
from mien.data.readers import find_reader
from mien.data.store import check_place, is_store, write_store
from mien.inference.gathered import partial_path
from mien.labels import ClassNames
from mien.processes import usable_cpus

MOST_CROP = 128
"""Pictures that are all squares of one size, at most so many pixels wide, are faces already."""

Sizes = set[tuple[int, int]]


def photos_to_prepare(
    path: Path, size: int, names: ClassNames | None = None
) -> tuple[RawDataset, Preparation] | None:
    """Return the photos of a tree and how they become faces; None if they are such faces already.

    Only the pictures' headers are read.

    Args:
        path: A dataset in any layout.
        size: Height and width of the faces that are wanted, in pixels.
        names: What class names mean.

    Raises:
        DataError: If the path is missing, or no reader knows its layout.
        MienError: If a class name means no known expression; lists those.
    """
    if is_store(path) or not isinstance(find_reader(path, None, names)[1], PictureReader):
        return None
    raw = list_pictures(path, names=names)
    sizes = {found for entry in raw.entries for found in _size(entry)}
    if sizes == {(size, size)}:
        return None
    detector = NO_DETECTOR if _are_crops(sizes) else "haar"
    return raw, Preparation(detector=detector, size=size)


def prepared(
    raw: RawDataset, settings: Preparation, folder: Path, *, progress: bool = False
) -> tuple[FaceDataset, list[Outcome]]:
    """Cut the faces out of photos and write them as a store; an interrupted start is carried on.

    Args:
        raw: The photos.
        settings: What is done to each.
        folder: Where the store goes.
        progress: Whether to show a bar.

    Returns:
        The faces, and what became of each photo.

    Raises:
        DataError: If there is no face in any, or `folder` holds anything but a store.
    """
    check_place(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    begun = partial_path(folder).exists()
    with prepare(
        raw, settings, folder, jobs=usable_cpus(), resume=begun, progress=progress
    ) as outcomes:
        dataset = prepared_dataset(raw, outcomes, settings)
        write_store(dataset, folder)
    return dataset, outcomes


def _are_crops(sizes: Sizes) -> bool:
    return len(sizes) == 1 and all(w == h <= MOST_CROP for w, h in sizes)


def _size(entry: Entry) -> Sizes:
    """Return a picture's size; nothing if it cannot be read, which the preparation reports."""
    try:
        with warnings.catch_warnings(), entry.file.open() as file:
            warnings.simplefilter("ignore")
            with PIL.Image.open(file) as picture:
                return {picture.size}
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError, *DAMAGED):
        return set()
