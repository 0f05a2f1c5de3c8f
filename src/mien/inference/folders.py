"""The pictures and the videos among files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.errors import ImageError
from mien.inference.pictures import SUFFIXES
from mien.inference.video.kind import is_moving

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
    return _found(inputs, _has_suffix, report, passed_over)


def find_videos(
    inputs: Iterable[str | Path],
    report: Report | None = None,
    passed_over: Callable[[Path], None] | None = None,
) -> Iterator[Path]:
    """Give the videos among files and folders, as `find_pictures` gives the pictures.

    Of a folder, what is a video by its content is given, an animation, too, and what is one by its
    suffix; sound is not.

    Args:
        inputs: Files and folders.
        report: Called with the error of each subfolder that cannot be read; the search goes on.
        passed_over: Called with each visible file that is no video.
    """
    return _found(inputs, is_moving, report, passed_over)


def is_folder(path: Path) -> bool:
    """Return whether there is a folder; one that may not be looked at is said when it is read."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _has_suffix(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _found(
    inputs: Iterable[str | Path],
    wanted: Callable[[Path], bool],
    report: Report | None,
    passed_over: Callable[[Path], None] | None,
) -> Iterator[Path]:
    seen: set[Path] = set()
    for start in map(Path, inputs):
        walk = _Walk(start, wanted, report, passed_over)
        paths = walk.folder(start, set()) if is_folder(start) else [start]
        for path in paths:
            if path not in seen:
                seen.add(path)
                yield path


@dataclass(frozen=True)
class _Walk:
    start: Path
    wanted: Callable[[Path], bool]
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
        if is_folder(path):
            yield from self.folder(path, above)
        elif self.wanted(path):
            yield path
        elif self.passed_over:
            self.passed_over(path)
