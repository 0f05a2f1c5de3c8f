"""Any tree with a folder per class: `<class>/*.png`, or `<split>/<class>/*.png`, also zipped."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.sample import Split
from mien.data.split_names import SPLIT_NAMES
from mien.data.tree import TreeFile, tree_files
from mien.errors import DataError
from mien.labels import ClassNames

NOTES = frozenset(
    {".csv", ".html", ".json", ".md", ".pdf", ".tsv", ".txt", ".xml", ".yaml", ".yml"}
)
"""Suffixes of what is no picture and often lies beside some."""


@READERS.register("folder")
class Folder(PictureReader):
    """Reader of class folders. The folder a picture lies in names its class."""

    order = 90

    def __init__(self, names: ClassNames) -> None:
        self._names = names

    def accepts(self, path: Path) -> bool:
        """Accept folders and zip archives."""
        return path.is_dir() or path.suffix.lower() == ".zip"

    def entries(self, path: Path) -> list[Entry]:
        """List the files of the class folders; ids are their paths below `path`.

        Raises:
            DataError: If no folder holds a picture.
            MienError: If folders name no known expression.
        """
        inside = (file for file in tree_files(path) if len(file.path.parts) > 1)
        # Notes say nothing of classes where their folder does not, either.
        files = [f for f in inside if not _is_note(f) or self._names.knows(f.path.parts[-2])]
        if not files:
            raise DataError(f"{path} holds no folder with pictures: wanted one folder per class.")
        self._names.check((file.path.parts[-2] for file in files), str(path))
        return [self._entry(file) for file in files]

    def split(self, path: PurePosixPath) -> Split:
        """Return the split a picture's path tells, "" if none."""
        folders = (part.lower() for part in path.parts[:-2])
        return next((SPLIT_NAMES[name] for name in folders if name in SPLIT_NAMES), "")

    def subject(self, path: PurePosixPath) -> str:
        """Return who is shown, as far as the path tells."""
        return ""

    def _entry(self, file: TreeFile) -> Entry:
        expression = self._names.expression(file.path.parts[-2])
        inside = file.path
        return Entry(str(inside), file, expression, self.split(inside), self.subject(inside))

    def _files(self, path: Path) -> list[TreeFile]:
        """Return the files of a path that may be such a tree; none if it cannot be one."""
        if not Folder.accepts(self, path):
            return []
        try:
            return tree_files(path)
        except DataError:
            return []


def _is_note(file: TreeFile) -> bool:
    return file.path.suffix.lower() in NOTES
