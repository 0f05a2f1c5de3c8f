"""Any tree with a folder per class: `<class>/*.png`, or `<split>/<class>/*.png`, also zipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.readers.classes import Classes
from mien.data.readers.suffixes import is_note, may_be_picture
from mien.data.sample import Split
from mien.data.split_names import split_in
from mien.data.tree import TreeFile, tree_files
from mien.errors import DataError
from mien.labels import ClassNames


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

        A folder without a picture is no class, unless it is called like one.

        Raises:
            DataError: If no folder holds a picture.
            MienError: If folders name no known expression.
        """
        files = tree_files(path)
        listed = [file for file in files if self._has_class(file)]
        if not listed:
            raise DataError(f"{path} holds no folder with pictures: wanted one folder per class.")
        self._names.check((file.path.parts[-2] for file in listed), str(path))
        classes = Classes(self._names)
        shared = _shared(listed)
        entries = [entry for file in listed for entry in self._entry(file, classes, shared)]
        others = [file for file in files if not self._has_class(file)]
        self.notes = (*classes.notes, *_passed_over(others))
        return entries

    def split(self, path: PurePosixPath) -> Split:
        """Return the split that the nearest folder above a picture's class tells, "" if none.

        Args:
            path: The picture's, without the folders that all pictures share, which tell none.
        """
        return split_in(path.parts[:-2])

    def subject(self, path: PurePosixPath) -> str:
        """Return who is shown, as far as the path tells."""
        return ""

    def _has_class(self, file: TreeFile) -> bool:
        inside = len(file.path.parts) > 1
        return inside and (may_be_picture(file) or self._names.knows(file.path.parts[-2]))

    def _entry(self, file: TreeFile, classes: Classes, shared: int) -> Iterator[Entry]:
        """Give what is known of a file; nothing if its class is to be left out."""
        inside, expression = file.path, classes.expression(file.path.parts[-2])
        if expression is not None:
            split = self.split(PurePosixPath(*inside.parts[shared:]))
            yield Entry(str(inside), file, expression, split, self.subject(inside))

    def _files(self, path: Path) -> list[TreeFile]:
        """Return the files of a path that may be such a tree; none if it cannot be one."""
        if not Folder.accepts(self, path):
            return []
        try:
            return tree_files(path)
        except DataError:
            return []


def _shared(files: Sequence[TreeFile]) -> int:
    """Return how many folders above their classes all files share, from the outermost on."""
    levels = zip(*(file.path.parts[:-2] for file in files))
    return sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, levels))


def _passed_over(files: Sequence[TreeFile]) -> Iterator[str]:
    """Say how many pictures lie beside the class folders, and what else is taken for no picture."""
    beside = sum(len(file.path.parts) == 1 and may_be_picture(file) for file in files)
    if beside:
        yield f"{beside:,} pictures that lie in no class's folder left out"
    other = [f for f in files if len(f.path.parts) > 1 and not is_note(f)]
    if other:
        yield f"{len(other):,} files in folders without a picture left out, such as {other[0].path}"
