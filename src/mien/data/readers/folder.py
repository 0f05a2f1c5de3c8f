"""Any tree with a folder per class: `<class>/*.png`, or `<split>/<class>/*.png`, also zipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mien.data.readers import READERS, Skip
from mien.data.sample import Sample, Split
from mien.data.tree import TreeFile, read_pictures, tree_files
from mien.errors import DataError
from mien.labels import ClassNames, LabelSet

SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "publictest": "val",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
}
"""Names of folders that hold a split, in lower case."""


@READERS.register("folder")
class Folder:
    """Reader of class folders. The folder a picture lies in names its class."""

    labels: LabelSet | None = None
    order = 90

    def __init__(self, names: ClassNames) -> None:
        self._names = names

    def accepts(self, path: Path) -> bool:
        """Accept folders and zip archives."""
        return path.is_dir() or path.suffix.lower() == ".zip"

    def samples(self, path: Path, skip: Skip, *, progress: bool = False) -> Iterator[Sample]:
        """Read the pictures: grey, of the size they have; ids are their paths below `path`.

        Raises:
            DataError: If no folder holds a picture, or folders name no known expression.
        """
        files = tree_files(path)
        classified = [file for file in files if len(file.path.parts) > 1]
        if not classified:
            raise DataError(f"{path} holds no folder with pictures: wanted one folder per class.")
        self._names.check((file.path.parts[-2] for file in classified), str(path))
        for position, image in read_pictures(classified, skip, progress=progress):
            inside = classified[position].path
            yield Sample(
                id=str(inside),
                image=image,
                expression=self._names.expression(inside.parts[-2]),
                split=self.split(inside),
                subject=self.subject(inside),
            )

    def split(self, path: PurePosixPath) -> Split:
        """Return the split a picture's path tells, "" if none."""
        folders = (part.lower() for part in path.parts[:-2])
        return next((SPLIT_FOLDERS[name] for name in folders if name in SPLIT_FOLDERS), "")

    def subject(self, path: PurePosixPath) -> str:
        """Return who is shown, as far as the path tells."""
        return ""

    def _files(self, path: Path) -> list[TreeFile]:
        """Return the files of a path that may be such a tree; none if it cannot be one."""
        if not Folder.accepts(self, path):
            return []
        try:
            return tree_files(path)
        except DataError:
            return []
