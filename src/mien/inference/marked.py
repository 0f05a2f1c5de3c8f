"""Marked copies of photos: boxes, expressions and probabilities drawn into them."""

from __future__ import annotations

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
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, original: Path) -> Path:
        """Return where the copy of a photo goes; different photos never share one."""
        parts = [part for part in original.parts if part not in (original.anchor, "..")]
        suffix = "" if original.suffix.lower() in KEPT else ".png"
        return self._folder.joinpath(*parts[:-1], parts[-1] + suffix)

    def write(self, original: Path, picture: Image, readings: Sequence[Reading]) -> None:
        """Write the marked copy of a photo."""
        write_marked(picture, readings, self.path(original))
