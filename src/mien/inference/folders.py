"""The pictures among files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mien.errors import ImageError
from mien.inference.pictures import SUFFIXES

Report = Callable[[ImageError], None]


def find_pictures(inputs: Iterable[str | Path], report: Report | None = None) -> Iterator[Path]:
    """Give the pictures among files and folders, each path once.

    A file is given as it is, whatever its name, and a missing one too: reading it says what is
    wrong. A folder is walked with all its subfolders in the order of names; of its files, those
    with a picture's suffix are given. Hidden files and folders (`.name`) are passed over.

    Args:
        inputs: Files and folders.
        report: Called with the error of each subfolder that cannot be read; the search goes on.
    """
    seen: set[Path] = set()
    for start in map(Path, inputs):
        paths = _walk(start, set(), report) if _is_folder(start) else [start]
        for path in paths:
            if path not in seen:
                seen.add(path)
                yield path


def _walk(folder: Path, above: set[tuple[int, int]], report: Report | None) -> Iterator[Path]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        if report:
            report(ImageError(f"The folder {folder} cannot be read: {error.strerror}."))
        return
    # A link to a folder above would go round for ever.
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if _is_folder(path):
            yield from _walk(path, above | {here}, report)
        elif path.suffix.lower() in SUFFIXES:
            yield path


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # not allowed to look; reading it as a file will say so
        return False
