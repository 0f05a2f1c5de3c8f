"""A folder of results that never takes the place of other files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.errors import MienError
from mien.files import LEFT_BY_VIEWERS


class OwnFolder:
    """A folder that mien fills: new, empty, or told by a hidden file to hold earlier results.

    The hidden file lists the results, so that those of an earlier run can be deleted.

    As a context manager it is made at once, so that one that cannot be written is said before the
    work; what was made is taken away again if nothing else came into it.

    Args:
        folder: The folder.
        mark: The name of the hidden file.

    Raises:
        MienError: If the folder holds anything else.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        self.path = folder
        self._mark = folder / mark
        self._made: list[Path] = []
        self._added: list[Path] = []
        try:
            foreign = folder.is_dir() and bool(self._others()) and not self._mark.exists()
        except OSError as error:
            raise MienError(f"{folder} cannot be read: {error.strerror}.") from error
        if foreign:
            raise MienError(
                f"{folder} holds other files: give a new folder, so that nothing is replaced."
            )

    def begin(self) -> None:
        """Make the folder, with its mark.

        Raises:
            MienError: If it cannot be written.
        """
        new = [path for path in (self.path, *self.path.parents) if not path.exists()]
        try:
            with self._writing():
                self.path.mkdir(parents=True, exist_ok=True)
                if not self._mark.exists():
                    new.insert(0, self._mark)
                self._mark.touch()
        except MienError:
            _take_away(new)
            raise
        self._made = [*self._made, *new]

    @property
    def filled(self) -> bool:
        """Whether one of the results that `add` named is there."""
        return any(path.is_file() for path in self._added)

    def clear(self, spared: Iterable[Path] = ()) -> None:
        """Delete the results that an earlier run listed, and no other files.

        Args:
            spared: Files that stay, such as those that are read.

        Raises:
            MienError: If one cannot be deleted.
        """
        kept = {path.resolve() for path in spared}
        with self._writing():
            for path in self._listed():
                if path.resolve() not in kept:
                    path.unlink(missing_ok=True)
                    _take_away([p for p in path.parents if self.path in p.parents])

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Delete what an earlier run listed, and list what the block writes, also if it fails.

        Raises:
            MienError: If the folder cannot be written.
        """
        self.clear()
        before = set(self._files())
        try:
            yield
        finally:
            self.add(path for path in self._files() if path not in before)

    def _files(self) -> Iterator[Path]:
        return (p for p in self.path.rglob("*") if p.is_file() and p != self._mark)

    def add(self, paths: Iterable[Path]) -> None:
        """List results that are about to be written.

        Raises:
            MienError: If the list cannot be written.
        """
        self._added += paths
        names = [str(path.relative_to(self.path)) for path in self._added]
        with self._writing():
            self._mark.write_text(json.dumps(names), encoding="ascii")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MienError(f"{self.path} cannot be written: {error.strerror}.") from error

    def _listed(self) -> list[Path]:
        """Return what the hidden file lists: paths below the folder."""
        try:
            names = json.loads(self._mark.read_text(encoding="ascii") or "[]")
            paths = [Path(name) for name in names]
        except (ValueError, TypeError):  # not written by mien: nothing is to be deleted
            return []
        return [self.path / p for p in paths if not p.is_absolute() and ".." not in p.parts]

    def __enter__(self) -> OwnFolder:
        self.begin()
        # That there is a mark already tells nothing of whether a file can be written now.
        with self._writing(), tempfile.TemporaryFile(dir=self.path):
            pass
        return self

    def __exit__(self, *_: object) -> None:
        if self.path.is_dir() and self._mark.exists() and not self._others():
            _take_away(self._made)

    def _others(self) -> list[Path]:
        """Return what is in the folder beside the mark."""
        ours = (self._mark.name, *LEFT_BY_VIEWERS)
        return [path for path in self.path.iterdir() if path.name not in ours]


def _take_away(made: list[Path]) -> None:
    """Delete an empty file and empty folders, up to the first that cannot be."""
    try:
        for path in made:
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
    except OSError:
        return
