"""The datasets at hand, by name; each is read when it is first needed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mien.data.assemble import assemble
from mien.data.dataset import FaceDataset
from mien.data.readers import find_reader, read_dataset
from mien.data.store import is_store
from mien.errors import MienError
from mien.recipe import DataPart


class Library:
    """Datasets by name.

    Args:
        paths: Archives, folders and stores.
        progress: Whether reading shows a bar.

    Raises:
        DataError: If a path is missing or no known dataset.
        MienError: If two are of one name.
    """

    def __init__(self, paths: Iterable[Path], *, progress: bool = False) -> None:
        self._progress = progress
        self._paths: dict[str, Path] = {}
        self._read: dict[str, FaceDataset] = {}
        self._last: tuple[DataPart, FaceDataset] | None = None
        for path in paths:
            self._add(path)

    @property
    def names(self) -> frozenset[str]:
        """The names of the datasets."""
        return frozenset(self._paths)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the datasets are."""
        return tuple(self._paths.values())

    def faces(self, part: DataPart) -> FaceDataset:
        """Return the faces that a recipe's data part is about, with their splits.

        Raises:
            DataError: If a dataset cannot be read whole, or a step cannot be done with it.
        """
        if self._last is None or self._last[0] != part:
            found = [self._dataset(name) for name in part.datasets]
            self._last = (part, assemble(part, found, progress=self._progress))
        return self._last[1]

    def _add(self, path: Path) -> None:
        # A store alone knows its dataset's name from its content.
        if path.exists() and is_store(path):
            dataset = read_dataset(path, progress=self._progress)
            name = dataset.name
            self._read[name] = dataset
        else:
            name = find_reader(path)[0]
        if name in self._paths:
            raise MienError(f"Both {self._paths[name]} and {path} are dataset {name!r}.")
        self._paths[name] = path

    def _dataset(self, name: str) -> FaceDataset:
        if name not in self._read:
            self._read[name] = read_dataset(self._paths[name], progress=self._progress)
        return self._read[name]
