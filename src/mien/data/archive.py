"""Opening one file of a dataset, plain or inside an archive, as a stream that is never unpacked."""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import wrap_file

from mien.errors import DataError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")

ENCRYPTED = 0x1
"""The bit of a zip entry's flags that says it needs a password."""

CHUNK = 2**20

DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    UnicodeDecodeError,
)
"""What the standard library raises, at the start or in the middle, for an archive that is damaged,
packed by a method it does not know, or holds a name that is no UTF-8."""


def is_archive(path: Path) -> bool:
    """Say whether a file name ends like an archive this module opens."""
    return path.name.lower().endswith(ARCHIVES)


def in_zip(path: Path, member: str) -> bool:
    """Say whether a path is a zip archive that holds a file of a name, at any depth."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(_is_member(info, member) for info in archive.infolist())
    except (*DAMAGED, OSError):  # who reads it will say so
        return False


@contextmanager
def open_member(path: Path, member: str, *, progress: bool = False) -> Iterator[IO[bytes]]:
    """Open `path` itself, or the file named `member` inside it when it is an archive.

    Args:
        path: A plain file, `.zip`, `.tar`, `.tar.gz` or `.tgz`.
        member: The wanted file's name, at any depth of the archive.
        progress: Whether to show a bar with the time left while the stream is read.

    Raises:
        DataError: If the archive is damaged or does not hold the file.
    """
    console = Console(stderr=True, quiet=not progress)
    with _told(path), ExitStack() as stack:
        file, size = _open(path, member, stack)
        yield stack.enter_context(
            wrap_file(
                cast("BinaryIO", file),
                total=size,
                description=f"Reading {escape(path.name)}",
                console=console,
                disable=not progress,
            )
        )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except DAMAGED as error:
        raise DataError(f"{path} is not a readable archive: {error}.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror or error}.") from error


def _open(path: Path, member: str, stack: ExitStack) -> tuple[IO[bytes], int]:
    name = path.name.lower()
    if name.endswith(".zip"):
        return _open_in_zip(path, member, stack)
    if is_archive(path):
        return _open_in_tar(path, member, stack)
    return stack.enter_context(path.open("rb")), path.stat().st_size


def _open_in_zip(path: Path, member: str, stack: ExitStack) -> tuple[IO[bytes], int]:
    archive = stack.enter_context(zipfile.ZipFile(path))
    for info in archive.infolist():
        if _is_member(info, member):
            if info.flag_bits & ENCRYPTED:
                raise DataError(f"{path} is encrypted: unpack {member} with its password first.")
            return stack.enter_context(archive.open(info)), info.file_size
    raise DataError(f"{path} holds no {member}: it holds {_some(archive.namelist())}.")


def _is_member(info: zipfile.ZipInfo, member: str) -> bool:
    path = with_slashes(info)
    return not path.endswith("/") and PurePosixPath(path).name == member


def with_slashes(info: zipfile.ZipInfo) -> str:
    """Return a member's path with forward slashes, which some programs on Windows do not write."""
    return info.filename.replace("\\", "/")


def _open_in_tar(path: Path, member: str, stack: ExitStack) -> tuple[IO[bytes], int]:
    archive = stack.enter_context(tarfile.open(path))  # noqa: SIM115 — the stack closes it
    seen = []
    for info in archive:
        file = _extracted(archive, info, path) if PurePosixPath(info.name).name == member else None
        if file is not None:
            stack.push(partial(_read_on, archive))
            return stack.enter_context(file), info.size
        seen.append(info.name)
    raise DataError(f"{path} holds no {member}: it holds {_some(seen)}.")


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo, path: Path) -> IO[bytes] | None:
    try:
        return archive.extractfile(info)
    except KeyError as error:
        raise DataError(
            f"{path}: {info.name} is a link to {info.linkname}, which it does not hold."
        ) from error


def _read_on(archive: tarfile.TarFile, error: type[BaseException] | None, *_: object) -> None:
    """Read to the end of a tar whose member was read: a checksum over everything stands there."""
    while error is None and archive.fileobj is not None and archive.fileobj.read(CHUNK):
        pass


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5]) or "nothing"
    return f"{shown}, …" if len(names) > 5 else shown
