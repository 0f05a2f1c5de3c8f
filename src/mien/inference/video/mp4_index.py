"""Whether an MP4 or MOV file has its index, without which nothing of it can be read."""

from __future__ import annotations

import os
from pathlib import Path

LONG, TO_THE_END = 1, 0
"""Sizes of atoms that say: the size stands behind the name; the atom ends with the file."""


def lacks_index(path: Path) -> bool:
    """Return whether a file begins as an MP4 or MOV (`ftyp`) and has no index (`moov`).

    Cameras and phones write the index last: it is missing from a file that is cut short, or still
    being written. Layout of atoms: ISO/IEC 14496-12, section 4.2.
    """
    with path.open("rb") as file:
        first = True
        while len(head := file.read(8)) == 8:
            size, name = int.from_bytes(head[:4], "big"), head[4:]
            if name == b"moov" or (first and name != b"ftyp"):
                return False
            first = False
            known = 8
            if size == LONG:
                size, known = int.from_bytes(file.read(8), "big"), 16
            if size == TO_THE_END:
                return True
            file.seek(max(0, size - known), os.SEEK_CUR)
    return not first
