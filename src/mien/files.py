"""Writing files whole: a reader sees the old content or the new, never a half."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mien.errors import MienError

UMASK = os.umask(0)
os.umask(UMASK)
# Reading it changes it for a moment, for the whole process: once, before there are threads.

LEFT_BY_VIEWERS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""What macOS and Windows put into a folder that is looked at."""

SPECIAL = "a device, a pipe or a socket"


def check_folder(path: Path) -> None:
    """Check that a path is a folder or can become one, before anything long begins.

    Raises:
        MienError: If it, or what it is to stand in, is a file.
    """
    there = next((place for place in (path, *path.parents) if place.exists()), path)
    if there.exists() and not there.is_dir():
        raise MienError(f"{there} must be a folder to write to. Got a file.")


def check_file(path: Path) -> None:
    """Check that a path can become a file, before anything long begins.

    Raises:
        MienError: If it is there and no file, or what it is to stand in is a file.
    """
    check_replaceable(path)
    check_folder(path.parent)


def check_replaceable(path: Path) -> None:
    """Check that nothing but a file is where one is to be written; a link is what it leads to.

    Raises:
        MienError: If it is a folder, a device, a pipe or a socket.
    """
    if path.is_dir():
        raise MienError(f"{path} must be a file to write. Got a folder.")
    if _is_special(path):
        raise MienError(f"{path} must be a file to write. Got {SPECIAL}.")


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that replaces it when the block ends without error.

    The temporary file keeps the suffix of `path`, so libraries that choose a format by it work. Of
    a link the target is replaced.

    Raises:
        OSError: If it cannot be written, or `path` is a device, a pipe or a socket, which stay.
    """
    if _is_special(path):
        raise OSError(errno.EEXIST, f"Is {SPECIAL}", str(path))
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    target.parent.mkdir(parents=True, exist_ok=True)
    # Few letters, for the file's own name may be as long as names can be.
    start = f".{path.stem[:20]}-"
    handle, name = tempfile.mkstemp(prefix=start, suffix=path.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~UMASK)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that replaces it when the block ends without error.

    A folder cannot be replaced in one step: the old one is moved aside, and back if that fails. A
    kill between the two leaves it in a hidden folder beside `path`. Of a link the target is
    replaced.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~UMASK)
        _replace_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(new: Path, path: Path) -> None:
    if not path.exists():
        new.replace(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        path.replace(old)
    except OSError:
        old.rmdir()
        raise
    try:
        new.replace(path)
    except BaseException:
        old.replace(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as a hexadecimal string."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write an object as indented JSON, whole."""
    with whole_file(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        MienError: If it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MienError(f"{path} cannot be opened: {error.strerror}.") from error
    except ValueError as error:
        raise MienError(f"{path} is not JSON: {error}.") from error
