"""A folder or a zip archive as a list of files, in a fixed order, safe to walk."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from rich.console import Console
from rich.progress import track

from mien.data.archive import DAMAGED, ENCRYPTED
from mien.errors import DataError, ImageError
from mien.inference.pictures import decode_picture
from mien.preprocess import Image, grey


@dataclass(frozen=True)
class TreeFile:
    """One file of a tree.

    Args:
        path: Its path below the tree's top, with forward slashes.
        where: Its name in error sentences.
        open: Opens its content for reading.
    """

    path: PurePosixPath
    where: str
    open: Callable[[], IO[bytes]]


def tree_files(top: Path) -> list[TreeFile]:
    """Return the files of a folder or a zip archive, sorted by path.

    Hidden files and folders, and macOS's `__MACOSX`, are left out. A linked folder is walked, a
    link to a folder above it is not.

    Raises:
        DataError: If the archive is damaged or holds a path that leads outside, a folder cannot be
            read, or two paths differ in case only (on many systems they are one file).
    """
    files = _zip_files(top) if top.is_file() else list(_folder_files(top, top, frozenset()))
    files = sorted((f for f in files if not _hidden(f.path)), key=lambda file: file.path)
    _check_case(files, top)
    return files


def _zip_files(path: Path) -> list[TreeFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path} is not a readable archive: {error}.") from error
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.flag_bits & ENCRYPTED for info in infos):
        raise DataError(f"{path} is encrypted: unpack it with its password first.")
    names = [info.filename for info in infos]
    for name in names:
        if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts:
            raise DataError(f"{path} holds {name!r}, a path that leads outside the archive.")
    return [
        TreeFile(PurePosixPath(name), f"{path}: {name}", partial(archive.open, name))
        for name in names
    ]


def _folder_files(folder: Path, top: Path, above: frozenset[tuple[int, int]]) -> Iterator[TreeFile]:
    try:
        status = folder.stat()
        entries = list(os.scandir(folder))
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir():
            yield from _folder_files(path, top, above | {here})
        else:
            relative = PurePosixPath(path.relative_to(top).as_posix())
            yield TreeFile(relative, str(path), _opener(path))


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _hidden(path: PurePosixPath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _check_case(files: list[TreeFile], top: Path) -> None:
    seen: dict[str, PurePosixPath] = {}
    for file in files:
        other = seen.setdefault(str(file.path).lower(), file.path)
        if other != file.path:
            raise DataError(f"{top} holds {other} and {file.path}, which differ in case only.")


def read_grey(file: TreeFile) -> Image:
    """Read a picture as uint8 (H, W), grey.

    Raises:
        DataError: If it cannot be opened or is not a picture; names the file.
    """
    try:
        with file.open() as content:
            return grey(decode_picture(content, file.where))
    except ImageError as error:
        raise DataError(str(error)) from error
    except OSError as error:
        raise DataError(f"{file.where} cannot be read: {error.strerror or error}.") from error
    except DAMAGED as error:
        raise DataError(f"{file.where} is damaged: {error}.") from error


def read_pictures(
    files: Sequence[TreeFile], skip: Callable[[DataError], None], *, progress: bool
) -> Iterator[tuple[int, Image]]:
    """Read pictures one after the other, leaving out those that cannot be read.

    Args:
        files: The pictures.
        skip: Called with the error of each picture that is left out.
        progress: Whether to show a bar.

    Returns:
        Position in `files`, and uint8 (H, W), grey, of each picture that can be read.
    """
    console = Console(stderr=True)
    bar = track(files, "Reading pictures", console=console, disable=not progress)
    for position, file in enumerate(bar):
        try:
            image = read_grey(file)
        except DataError as error:
            skip(error)
        else:
            yield position, image
