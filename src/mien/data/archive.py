"""Opening one file of a dataset, plain or inside an archive, as a stream that is never unpacked."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import wrap_file

from mien.errors import DataError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")

ENCRYPTED = 0x1
"""The bit of a zip entry's flags that says it needs a password."""

DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError)
"""What the standard library raises, at the start or in the middle, for an archive that is damaged
or packed by a method it does not know."""


def is_archive(path: Path) -> bool:
    """Say whether a file name ends like an archive this module opens."""
    return path.name.lower().endswith(ARCHIVES)


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
    with ExitStack() as stack:
        try:
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
        except DataError:
            raise
        except OSError as error:
            raise DataError(f"{path} cannot be opened: {error.strerror or error}.") from error
        except DAMAGED as error:
            raise DataError(f"{path} is not a readable archive: {error}.") from error


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
        if PurePosixPath(info.filename).name == member:
            if info.flag_bits & ENCRYPTED:
                raise DataError(f"{path} is encrypted: unpack {member} with its password first.")
            return stack.enter_context(archive.open(info)), info.file_size
    raise DataError(f"{path} holds no {member}: it holds {_some(archive.namelist())}.")


def _open_in_tar(path: Path, member: str, stack: ExitStack) -> tuple[IO[bytes], int]:
    archive = stack.enter_context(tarfile.open(path))  # noqa: SIM115 — the stack closes it
    seen = []
    for info in archive:
        file = archive.extractfile(info)
        if file is not None and PurePosixPath(info.name).name == member:
            return stack.enter_context(file), info.size
        seen.append(info.name)
    raise DataError(f"{path} holds no {member}: it holds {_some(seen)}.")


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5]) or "nothing"
    return f"{shown}, …" if len(names) > 5 else shown
