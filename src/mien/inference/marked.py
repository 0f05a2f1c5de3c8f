"""Marked copies of photos: boxes, expressions and probabilities drawn into them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import PIL.Image

from mien.errors import MienError
from mien.files import whole_file
from mien.inference.face import Reading
from mien.inference.render import annotate
from mien.preprocess import Image

KEPT = (".jpg", ".jpeg", ".png")
"""Suffixes whose format the copy keeps; other copies are PNG."""

JPEG_QUALITY = 92


def write_marked(picture: Image, readings: Sequence[Reading], path: Path) -> None:
    """Write a picture, uint8 (H, W, 3) RGB, with its readings drawn in; format by the suffix.

    Raises:
        MienError: If the file cannot be written.
    """
    marked = PIL.Image.fromarray(annotate(picture, readings))
    try:
        with whole_file(path) as temporary:
            marked.save(temporary, quality=JPEG_QUALITY)
    except OSError as error:
        raise MienError(f"{path} cannot be written: {error.strerror or error}.") from error


class MarkedCopies:
    """A folder of marked copies, laid out like the originals.

    Args:
        folder: `photos/a.jpg` is copied to `folder/photos/a.jpg`; the path's root and `..` are
            left out.
        originals: Every photo that will be copied.

    Raises:
        MienError: If a copy would replace an original, or two copies each other.
    """

    def __init__(self, folder: Path, originals: Sequence[Path]) -> None:
        self._copies = {original: _copy(folder, original) for original in originals}
        photos = {_real(original): original for original in originals}
        taken: dict[Path, Path] = {}
        for original, copy in self._copies.items():
            if _real(copy) in photos:
                raise MienError(
                    f"The marked copy of {original} would replace the photo"
                    f" {photos[_real(copy)]}: choose another folder than {folder}."
                )
            other = taken.setdefault(_real(copy), original)
            if other != original:
                raise MienError(
                    f"{other} and {original} would have the same marked copy, {copy}: read them in"
                    " two runs with different folders."
                )

    def path(self, original: Path) -> Path:
        """Return where the copy of a photo goes."""
        return self._copies[original]

    def write(self, original: Path, picture: Image, readings: Sequence[Reading]) -> None:
        """Write the marked copy of a photo.

        Raises:
            MienError: If the file cannot be written.
        """
        write_marked(picture, readings, self.path(original))


def _copy(folder: Path, original: Path) -> Path:
    parts = [part for part in original.parts if part not in (original.anchor, "..")]
    suffix = "" if original.suffix.lower() in KEPT else ".png"
    return folder.joinpath(*parts[:-1], parts[-1] + suffix)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
