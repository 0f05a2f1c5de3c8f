"""A folder of results that never takes the place of other files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mien.errors import MienError

LEFT_BY_VIEWERS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""What macOS and Windows put into a folder that is looked at."""


class OwnFolder:
    """A folder that mien fills: new, empty, or told by a hidden file to hold earlier results.

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
            self.path.mkdir(parents=True, exist_ok=True)
            if not self._mark.exists():
                new.insert(0, self._mark)
            self._mark.touch()
        except OSError as error:
            _take_away(new)
            raise MienError(f"{self.path} cannot be written: {error.strerror}.") from error
        self._made = [*self._made, *new]

    def __enter__(self) -> OwnFolder:
        self.begin()
        try:
            # That there is a mark already tells nothing of whether a file can be written now.
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise MienError(f"{self.path} cannot be written: {error.strerror}.") from error
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
