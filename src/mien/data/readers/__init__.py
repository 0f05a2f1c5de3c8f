"""Dataset readers, one file each; `read_dataset` finds the one that fits a path.

To add a dataset, add a file with a class that has the two methods of `Reader` and register it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from mien.data.dataset import FaceDataset
from mien.errors import DataError
from mien.registry import Registry


class Reader(Protocol):
    """What a dataset reader does."""

    def accepts(self, path: Path) -> bool:
        """Say, from names alone, whether `path` looks like this dataset."""

    def read(self, path: Path, *, progress: bool = False) -> FaceDataset:
        """Read the dataset; `progress` shows a bar on the terminal.

        Raises:
            DataError: Naming the file and the row that cannot be read.
        """


READERS: Registry[type[Reader]] = Registry("dataset reader", "mien.data.readers", DataError)


def read_dataset(path: Path | str, *, progress: bool = False) -> FaceDataset:
    """Read a dataset, choosing the reader by the path.

    Args:
        path: A file or folder in one of the layouts the readers know.
        progress: Whether to show a bar with the time left.

    Raises:
        DataError: If the path is missing, no reader knows its layout, or its content is wrong.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"No such file or folder: {path}.")
    for name in READERS:
        reader = READERS[name]()
        if reader.accepts(path):
            return reader.read(path, progress=progress)
    raise DataError(f"{path} is not laid out like a known dataset ({', '.join(READERS)}).")
