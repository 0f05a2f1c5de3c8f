"""Any tree whose paths tell subject and emotion, in folders' or in files' names, also zipped."""

from __future__ import annotations

from pathlib import Path

from mien.data.pattern import PathPattern
from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.split_names import named_split
from mien.data.tree import TreeFile, tree_files
from mien.errors import DataError
from mien.inference.pictures import SUFFIXES
from mien.labels import ClassNames

DEFAULT = "{subject}/{emotion}/{name}"


@READERS.register("pattern")
class ByPattern(PictureReader):
    """Reader of trees that a pattern describes; ids are the paths below the tree's top.

    Args:
        names: What class names mean.
        pattern: What paths look like.
    """

    order = 95

    def __init__(self, names: ClassNames, pattern: str = DEFAULT) -> None:
        self._names = names
        self.pattern = PathPattern(pattern)

    def accepts(self, path: Path) -> bool:
        """Accept nothing by itself: it is asked for."""
        return False

    def with_pattern(self, pattern: str) -> ByPattern:
        """Return the same reader with another pattern.

        Raises:
            DataError: If it is no pattern.
        """
        return type(self)(self._names, pattern)

    def entries(self, path: Path) -> list[Entry]:
        """List the files that fit the pattern; others are passed over unless they are pictures.

        Raises:
            DataError: If a picture does not fit, no file does, or a split is unknown.
            MienError: If a class name means no known expression; lists those.
        """
        matches = [(file, self.pattern.match(file.path)) for file in tree_files(path)]
        others = [file for file, match in matches if match is None and is_picture(file)]
        fitting = [(file, match) for file, match in matches if match is not None]
        if others or not fitting:
            raise DataError(self._misfit(path, others, len(others) + len(fitting)))
        self._names.check((match["emotion"] for _, match in fitting), str(path))
        return [
            Entry(
                id=str(file.path),
                file=file,
                expression=self._names.expression(match["emotion"]),
                split=named_split(match.get("split", ""), file.where),
                subject=match.get("subject", ""),
            )
            for file, match in fitting
        ]

    def _misfit(self, path: Path, others: list[TreeFile], count: int) -> str:
        wanted = f"{path}: wanted paths like {self.pattern.text!r}"
        if not others:
            return f"{wanted}, found no picture."
        return (
            f"{wanted}, found {str(others[0].path)!r} (of {count:,} pictures, {len(others):,} do"
            " not fit); `mien data prepare --pattern` takes another pattern."
        )


def is_picture(file: TreeFile) -> bool:
    """Say whether a file is named like a picture."""
    return file.path.suffix.lower() in SUFFIXES
