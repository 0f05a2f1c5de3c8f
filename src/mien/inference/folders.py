"""The pictures among files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.errors import ImageError
from mien.inference.pictures import SUFFIXES

Report = Callable[[ImageError], None]

MARK = ".mien-marked"
"""A folder with a file of this name holds marked copies."""

REPORT_MARK = ".mien-report"
"""A folder with a file of this name holds a report, which another one may replace."""

OWN = (MARK, REPORT_MARK)
"""By what folders are known that hold pictures of mien's, and no photos to read."""


def find_pictures(
    inputs: Iterable[str | Path],
    report: Report | None = None,
    passed_over: Callable[[Path], None] | None = None,
) -> Iterator[Path]:
    """Give the pictures among files and folders, each path once.

    A file is given as it is, whatever its name, and a missing one too: reading it says what is
    wrong. A folder is walked with all its subfolders in the order of names; of its files, those
    with a picture's suffix are given. Hidden files and folders (`.name`) and subfolders of marked
    copies and of reports are left out.

    Args:
        inputs: Files and folders.
        report: Called with the error of each subfolder that cannot be read; the search goes on.
        passed_over: Called with each visible file that has no picture's suffix.
    """
    seen: set[Path] = set()
    for start in map(Path, inputs):
        walk = _Walk(start, report, passed_over)
        paths = walk.folder(start, set()) if _is_folder(start) else [start]
        for path in paths:
            if path not in seen:
                seen.add(path)
                yield path


@dataclass(frozen=True)
class _Walk:
    start: Path
    report: Report | None
    passed_over: Callable[[Path], None] | None

    def folder(self, folder: Path, above: set[tuple[int, int]]) -> Iterator[Path]:
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if self.report:
                self.report(ImageError(f"The folder {folder} cannot be read: {error.strerror}."))
            return
        # A link to a folder above would go round for ever.
        here = (status.st_dev, status.st_ino)
        own = folder != self.start and any(entry.name in OWN for entry in entries)
        if here in above or own:
            return
        for entry in entries:
            if not entry.name.startswith("."):
                yield from self._entry(folder / entry.name, above | {here})

    def _entry(self, path: Path, above: set[tuple[int, int]]) -> Iterator[Path]:
        if _is_folder(path):
            yield from self.folder(path, above)
        elif path.suffix.lower() in SUFFIXES:
            yield path
        elif self.passed_over:
            self.passed_over(path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # not allowed to look; reading it as a file will say so
        return False
