"""What a file's suffix says of it: a picture, a note that often lies beside some, or neither."""

from __future__ import annotations

from mien.data.tree import TreeFile
from mien.inference.pictures import SUFFIXES
from mien.inference.video.kind import NOTES

UNREAD = frozenset(
    {".avif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".pbm", ".pgm", ".pnm", ".ppm"}
)
"""Suffixes of pictures that are not looked for, and of which most cannot be read."""


def is_picture(file: TreeFile) -> bool:
    """Say whether a file is named like a picture that can be read."""
    return file.path.suffix.lower() in SUFFIXES


def may_be_picture(file: TreeFile) -> bool:
    """Say whether a file is named like a picture of any kind: a folder of these is a class."""
    return is_picture(file) or file.path.suffix.lower() in UNREAD


def is_note(file: TreeFile) -> bool:
    """Say whether a file is named like one that says something of a dataset, or of nothing."""
    return file.path.suffix.lower() in NOTES
