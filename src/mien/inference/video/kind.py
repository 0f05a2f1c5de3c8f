"""Telling videos from photos, without FFmpeg."""

from __future__ import annotations

from pathlib import Path

import PIL.Image

SOUND = (".mp3", ".m4a", ".wav", ".flac", ".ogg", ".aac")
"""The suffixes, in any case, of sound, so that it is said of such a file that it is no video."""

SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".ts"),
    *(".m2ts", ".mts", ".3gp", ".ogv", ".vob", ".mxf", ".nut", ".y4m", ".h264", ".h265", ".dv"),
    *(".m2v", *SOUND),
)
"""The suffixes, in any case, of videos and of sound."""

NOTES = frozenset(
    {".csv", ".html", ".json", ".md", ".pdf", ".tsv", ".txt", ".xml", ".yaml", ".yml"}
)
"""The suffixes of what may lie beside thousands of photos, and need not be opened to be known."""

PHOTOS = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\0", b"MM\0*")
"""How JPEG, PNG, BMP and TIFF begin."""

VIDEOS = (b"\x1aE\xdf\xa3", b"FLV", b"OggS", b"\0\0\x01\xba", b"0&\xb2u")
"""How Matroska and WebM, Flash video, Ogg, MPEG and Windows Media begin."""

PACKET = 188
"""Bytes of a packet of an MPEG transport stream, each of which begins with a G."""

STILL_BRANDS = (b"avif", b"heic", b"heix", b"mif1")
"""The kinds of MP4-like files that are photos."""


def is_video(path: Path) -> bool:
    """Return whether a file is to be read as a video: by its content, else by its suffix.

    A GIF with more than one picture is one.
    """
    head = _head(path)
    if _still(head):
        return False
    if head.startswith(b"GIF8"):
        return _moves(path)
    if head[4:8] == b"ftyp":
        return head[8:12] not in STILL_BRANDS
    if head.startswith(VIDEOS) or (head.startswith(b"RIFF") and head[8:11] == b"AVI"):
        return True
    return head[::PACKET] == b"GGG" or path.suffix.lower() in SUFFIXES


def is_moving(path: Path) -> bool:
    """Return whether a file that nobody named is to be read as a video: sound is not."""
    return path.suffix.lower() not in SOUND and is_video(path)


def is_photo(path: Path) -> bool:
    """Return whether a file begins as a photo does."""
    return _still(_head(path))


def _still(head: bytes) -> bool:
    return head.startswith(PHOTOS) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(2 * PACKET + 1)
    except OSError:  # reading it will say what is wrong
        return b""


def _moves(path: Path) -> bool:
    try:
        with PIL.Image.open(path, formats=["GIF"]) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # a damaged one; reading it will say so
        return False
