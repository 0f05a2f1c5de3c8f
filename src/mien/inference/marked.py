"""Marked copies of photos: boxes, expressions and probabilities drawn into them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePath

import PIL.Image

from mien.errors import MienError
from mien.files import whole_file
from mien.inference.face import Reading
from mien.inference.folders import MARK
from mien.inference.own_folder import OwnFolder
from mien.inference.render import annotate
from mien.preprocess import Image

KEPT = (".jpg", ".jpeg", ".png")
"""Suffixes whose format the copy keeps; other copies are PNG."""

JPEG_QUALITY = 92


def write_marked(picture: Image, readings: Sequence[Reading], path: Path) -> None:
    """Write a picture, uint8 (H, W, 3) RGB, with its readings drawn in; format by the suffix.

    Raises:
        MienError: If the file cannot be written, or its suffix names no format.
    """
    marked = PIL.Image.fromarray(annotate(picture, readings))
    try:
        with whole_file(path) as temporary:
            marked.save(temporary, quality=JPEG_QUALITY)
    except (OSError, ValueError, KeyError) as error:  # an unknown suffix is one of the last two
        reason = getattr(error, "strerror", None) or error
        raise MienError(f"{path} cannot be written: {reason}.") from error


class MarkedCopies:
    """A folder of marked copies, laid out like the originals below their common folder.

    The folder gets a file `.mien-marked`, by which `find_pictures` passes it over: copies are not
    read as photos.

    Args:
        folder: Where the copies go: a new or empty folder, or one of earlier copies.
        originals: Every photo that will be copied.
        kept: Suffixes that the copies keep.
        otherwise: The suffix that is added to other names.

    Attributes:
        folder: The folder.

    Raises:
        MienError: If the folder holds anything else, two copies would have one name, or one would
            replace an original.
    """

    def __init__(
        self,
        folder: Path,
        originals: Sequence[Path],
        kept: Sequence[str] = KEPT,
        otherwise: str = ".png",
    ) -> None:
        self.folder = OwnFolder(folder, MARK)
        self._copies = {
            original: folder / _copy(path, kept, otherwise)
            for original, path in below_common(originals).items()
        }
        self._check_names()
        self._check_originals()

    def _check_names(self) -> None:
        taken: dict[Path, Path] = {}
        for original, copy in self._copies.items():
            if taken.setdefault(copy, original) != original:
                raise MienError(
                    f"{taken[copy]} and {original} would have the same marked copy, {copy}: read"
                    " them in two runs with different folders."
                )

    def _check_originals(self) -> None:
        # An earlier folder of copies, or a folder in it, may be given with photos that stand there.
        there = {original.resolve(): original for original in self._copies}
        for original, copy in self._copies.items():
            if replaced := there.get(copy.resolve()):
                what = "it" if replaced == original else replaced
                raise MienError(
                    f"The marked copy of {original} would replace {what}: give another folder."
                )

    def path(self, original: Path) -> Path:
        """Return where the copy of a photo goes."""
        return self._copies[original]

    def write(self, original: Path, picture: Image, readings: Sequence[Reading]) -> None:
        """Write the marked copy of a photo.

        Raises:
            MienError: If the file cannot be written.
        """
        self.begin()
        write_marked(picture, readings, self.path(original))

    def begin(self) -> None:
        """Make the folder, as one of marked copies.

        Raises:
            MienError: If it cannot be written.
        """
        self.folder.begin()


def below_common(paths: Sequence[Path]) -> dict[Path, Path]:
    """Return where each of some files stands below the folder that they have in common.

    Files on several drives have none: they stand below the names of their drives.
    """
    whole = {path: _whole(path) for path in paths}
    if len({path.drive.lower() for path in whole.values()}) > 1:
        return {path: Path(below_drive(known)) for path, known in whole.items()}
    top = os.path.commonpath([path.parent for path in whole.values()]) if whole else "."
    return {path: known.relative_to(top) for path, known in whole.items()}


def below_drive(path: PurePath) -> PurePath:
    """Return a path of Windows below a folder named as its drive; two drives share no folder."""
    return PurePath(re.sub(r"\W+", "_", path.drive).strip("_"), *path.parts[1:])


def _whole(path: Path) -> Path:
    """Return an absolute path without `..`; a linked photo keeps the place of its link."""
    return Path(os.path.normpath(path.absolute()))


def _copy(path: Path, kept: Sequence[str], otherwise: str) -> Path:
    suffix = "" if path.suffix.lower() in kept else otherwise
    return path.with_name(path.name + suffix)
