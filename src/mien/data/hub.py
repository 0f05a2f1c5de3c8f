"""Parquet as it lies in a folder from Hugging Face's hub: what is one dataset, and its splits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from mien.data.sample import Split
from mien.data.split_names import SPLIT_WORD, split_in
from mien.data.store import TABLE, is_store
from mien.data.tree import TreeFile, tree_files
from mien.errors import DataError

SUFFIX = ".parquet"

_SHARD = re.compile(r"-\d+-of-\d+.*")
"""What ends the name of one of several files; its last part is anything, as a checksum."""

_NAMELESS = re.compile(r"(?<![^\W\d_])(?:data|partial|sets?)(?![^\W\d_])|[\W_]")
"""What says nothing of which dataset a folder is; the hub calls large ones `partial-train`."""


def parquet_files(path: Path) -> list[TreeFile]:
    """Return the Parquet files of a dataset: a file alone, or those of a folder.

    Raises:
        DataError: If a folder cannot be read, or holds other datasets than one; names theirs.
    """
    if path.is_file():
        if path.name == TABLE and is_store(path.parent):
            raise DataError(f"{path} is the table of a dataset that mien wrote: name its folder.")
        return [TreeFile(PurePosixPath(path.name), str(path), path)]
    files = [file for file in tree_files(path) if is_parquet(file)]
    _check_no_store(path, files)
    _check_one(path, files)
    return files


def is_parquet(file: TreeFile) -> bool:
    """Say whether a file's name is one of Parquet."""
    return file.path.suffix.lower() == SUFFIX


def split_of(path: PurePosixPath) -> Split:
    """Return the split that a file's name says, or else its folder's.

    Args:
        path: The file's path; of its folders the nearest that says a split counts.
    """
    return split_in((*path.parts[:-1], _SHARD.sub("", path.stem)))


def _check_no_store(path: Path, files: Sequence[TreeFile]) -> None:
    """Refuse stores below: of their tables alone, votes and history would be lost."""
    tables = (file for file in files if file.path.name == TABLE and len(file.path.parts) > 1)
    stores = [str(file.path.parent) for file in tables if is_store(file.place.parent)]
    if stores:
        raise DataError(
            f"{path} holds datasets that mien wrote ({', '.join(stores)}): name one of them."
        )


def _check_one(path: Path, files: Sequence[TreeFile]) -> None:
    """Refuse folders of several datasets, whose test may be what the other has as train."""
    folders: dict[tuple[str, ...], PurePosixPath] = {}
    for file in files:
        folders.setdefault(_dataset(file.path), _own_folder(file.path))
    if len(folders) > 1:
        found = ", ".join(sorted(map(str, folders.values())))
        raise DataError(f"{path} holds several datasets in Parquet ({found}): name one, or a file.")


def _dataset(path: PurePosixPath) -> tuple[str, ...]:
    """Return what the names of a file's folders say, but for splits: whose file it is."""
    said = (_said(name) for name in path.parts[:-1])
    return tuple(name for name in said if name)


def _own_folder(path: PurePosixPath) -> PurePosixPath:
    """Return the folder of a file's dataset, above those that only name a split."""
    folders = path.parent
    while folders.name and not _said(folders.name):
        folders = folders.parent
    return folders


def _said(name: str) -> str:
    return _NAMELESS.sub("", SPLIT_WORD.sub("", name.lower()))
