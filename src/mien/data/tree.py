"""A folder or a zip archive as a list of files, in a fixed order, safe to walk."""

from __future__ import annotations

import errno
import os
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

from mien.data.archive import DAMAGED, ENCRYPTED, with_slashes
from mien.errors import DataError, ImageError
from mien.files import LEFT_BY_VIEWERS
from mien.inference.journal import printable
from mien.inference.pictures import decode_picture
from mien.preprocess import Image, grey

BY_VIEWERS = frozenset(name.lower() for name in LEFT_BY_VIEWERS)
"""Names, in lower case, of files that nobody put into a folder."""

BY_SYSTEMS = ("__MACOSX", "@eaDir")
"""Names of folders that nobody made: macOS puts one into archives, Synology into any folder."""


@dataclass(frozen=True)
class TreeFile:
    """One file of a tree; it holds names only, so that another process can open it, too.

    Args:
        path: Its path below the tree's top, with forward slashes; printable, and in one Unicode
            form (NFC) on every system.
        where: Its name in error sentences.
        place: The file itself, or the zip archive it lies in.
        member: Its name in that archive; None for a plain file.
    """

    path: PurePosixPath
    where: str
    place: Path
    member: str | None = None

    def open(self) -> IO[bytes]:
        """Open its content for reading.

        Raises:
            OSError: If it cannot be opened, or is a device or a pipe.
        """
        if "\0" in str(self.place):
            raise OSError(errno.EINVAL, "no path holds a zero character", str(self.place))
        if self.member is not None:
            state = self.place.stat()
            archive = _archive(self.place, state.st_mtime_ns, state.st_size, os.getpid())
            return archive.open(self.member)
        # Reading a device or a pipe could wait for ever.
        if self.place.exists() and not (self.place.is_file() or self.place.is_dir()):
            raise OSError(errno.EINVAL, "not a regular file", str(self.place))
        return self.place.open("rb")


@lru_cache(maxsize=4)
def _archive(path: Path, changed: int, size: int, process: int) -> zipfile.ZipFile:
    """Open an archive once per process: a forked one would share the position in the file."""
    return zipfile.ZipFile(path)


def tree_files(top: Path) -> list[TreeFile]:
    """Return the files of a folder or a zip archive, sorted by path.

    Hidden files and folders, macOS's `__MACOSX`, Synology's `@eaDir` and Windows's `Thumbs.db` and
    `desktop.ini` are left out. A linked folder is walked, a link to a folder above it is not.

    Raises:
        DataError: If the archive is damaged or holds a path that leads outside, a folder cannot be
            read, or two paths differ in case only (on many systems they are one file).
    """
    files = _zip_files(top) if top.is_file() else list(_folder_files(top, top, frozenset()))
    files = sorted((f for f in files if not _hidden(f.path)), key=lambda file: file.path)
    _check_case(files, top)
    return files


def has_folder(top: Path, name: str, above: frozenset[tuple[int, int]] = frozenset()) -> bool:
    """Say whether a folder called `name` lies below another, among those that `tree_files` walks.

    Args:
        top: The other folder.
        name: Its name, in ASCII.
        above: Which folders `top` was come to from, so that none is walked in a circle.

    Raises:
        DataError: If a folder cannot be read.
    """
    here, entries = _scanned(top)
    if here in above:
        return False
    folders = [e for e in entries if _is_folder(e) and not _hidden(PurePosixPath(e.name))]
    return any(entry.name == name for entry in folders) or any(
        has_folder(Path(entry.path), name, above | {here}) for entry in folders
    )


def _zip_files(path: Path) -> list[TreeFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not with_slashes(info).endswith("/")]
    except (*DAMAGED, OSError) as error:
        raise DataError(f"{path} is not a readable archive: {error}.") from error
    if any(info.flag_bits & ENCRYPTED for info in infos):
        raise DataError(f"{path} is encrypted: unpack it with its password first.")
    names = [(info.filename, with_slashes(info)) for info in infos]
    for name, inside in names:
        if inside.startswith("/") or ".." in PurePosixPath(inside).parts:
            raise DataError(f"{path} holds {name!r}, a path that leads outside the archive.")
    return [TreeFile(_inside(i), f"{path}: {name}", path, name) for name, i in names]


def _folder_files(folder: Path, top: Path, above: frozenset[tuple[int, int]]) -> Iterator[TreeFile]:
    here, entries = _scanned(folder)
    if here in above:
        return
    for entry in entries:
        path = Path(entry.path)
        if _is_folder(entry):
            yield from _folder_files(path, top, above | {here})
        else:
            relative = _inside(printable(path.relative_to(top).as_posix()))
            yield TreeFile(relative, printable(str(path)), path)


def _scanned(folder: Path) -> tuple[tuple[int, int], list[os.DirEntry[str]]]:
    """Return what no other folder has, and what lies in a folder."""
    try:
        status = folder.stat()
        return (status.st_dev, status.st_ino), list(os.scandir(folder))
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror}.") from error


def _inside(name: str) -> PurePosixPath:
    return PurePosixPath(unicodedata.normalize("NFC", name))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself; reading it as a file will say so
        return False


def _hidden(path: PurePosixPath) -> bool:
    return path.name.lower() in BY_VIEWERS or any(
        part.startswith(".") or part in BY_SYSTEMS for part in path.parts
    )


def _check_case(files: list[TreeFile], top: Path) -> None:
    seen: dict[str, PurePosixPath] = {}
    for file in files:
        other = seen.setdefault(str(file.path).lower(), file.path)
        if other != file.path:
            raise DataError(f"{top} holds {other} and {file.path}, which differ in case only.")


def read_colour(file: TreeFile) -> Image:
    """Read a picture as uint8 (H, W, 3), RGB.

    Raises:
        DataError: If it cannot be opened or is not a picture; names the file.
    """
    try:
        with file.open() as content:
            return decode_picture(content, file.where)
    except ImageError as error:
        raise DataError(str(error)) from error
    except OSError as error:
        raise DataError(f"{file.where} cannot be read: {error.strerror or error}.") from error
    except DAMAGED as error:
        raise DataError(f"{file.where} is damaged: {error}.") from error


def read_grey(file: TreeFile) -> Image:
    """Read a picture as uint8 (H, W), grey.

    Raises:
        DataError: If it cannot be opened or is not a picture; names the file.
    """
    return grey(read_colour(file))
