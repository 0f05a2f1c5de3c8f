"""A dataset that mien wrote itself: see `mien.data.store`."""

from __future__ import annotations

from pathlib import Path

from mien.data.dataset import FaceDataset
from mien.data.readers import READERS
from mien.data.store import is_store, read_store


@READERS.register("store")
class Store:
    """Reader of stores."""

    def accepts(self, path: Path) -> bool:
        """Accept folders with a `dataset.json`."""
        return is_store(path)

    def read(self, path: Path, *, progress: bool = False) -> FaceDataset:
        """Read the store.

        Raises:
            DataError: If its content is not what its fingerprint says.
        """
        return read_store(path, progress=progress)
