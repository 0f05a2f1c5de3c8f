"""Whether a GIF is whole, which FFmpeg does not say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

EXTENSION, IMAGE, TRAILER = b"!", b",", b";"
"""How the blocks of a GIF begin (GIF89a specification, appendix A)."""


def gif_is_cut(path: Path) -> bool:
    """Return whether a file begins as a GIF and ends before the mark of its end."""
    with path.open("rb") as file:
        return file.read(4) == b"GIF8" and not _ends(file)


def _ends(file: BinaryIO) -> bool:
    file.seek(10)
    _skip_colours(file, file.read(1))
    file.seek(2, os.SEEK_CUR)
    while (kind := file.read(1)) in (EXTENSION, IMAGE) and kind:
        if kind == EXTENSION:
            file.seek(1, os.SEEK_CUR)
        else:
            file.seek(8, os.SEEK_CUR)
            _skip_colours(file, file.read(1))
            file.seek(1, os.SEEK_CUR)
        _skip_data(file)
    # Any other byte is damage, which decoding tells.
    return kind != b""


def _skip_colours(file: BinaryIO, flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        file.seek(3 * 2 ** ((flags[0] & 7) + 1), os.SEEK_CUR)


def _skip_data(file: BinaryIO) -> None:
    while (size := file.read(1)) and size[0]:
        file.seek(size[0], os.SEEK_CUR)
