"""Any tree whose paths tell subject and emotion, in folders' or in files' names, also zipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mien.data.pattern import ABOVE, PathPattern
from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.readers.classes import Classes
from mien.data.readers.suffixes import is_picture, may_be_picture
from mien.data.sample import Split
from mien.data.split_names import named_split, split_in
from mien.data.tree import TreeFile, tree_files
from mien.errors import DataError
from mien.labels import ClassNames

DEFAULT = "{subject}/{emotion}/{name}"

Found = tuple[TreeFile, Mapping[str, str]]
"""A file, and what its path says by the pattern."""


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
            DataError: If a picture does not fit, no file does, paths differ before the pattern's
                start, or a split is unknown.
            MienError: If a class name means no known expression; lists those.
        """
        matches = [(file, self.pattern.match(file.path)) for file in tree_files(path)]
        others = [file for file, match in matches if match is None and is_picture(file)]
        fitting = [(f, m) for f, m in matches if m is not None and self._has_class(f, m)]
        if others or not fitting:
            raise DataError(self._misfit(path, others, len(others) + len(fitting)))
        self._check_start(path, fitting)
        self._names.check((match["emotion"] for _, match in fitting), str(path))
        classes = Classes(self._names)
        entries = [entry for file, match in fitting for entry in _entry(file, match, classes)]
        self.notes = classes.notes
        return entries

    def _has_class(self, file: TreeFile, match: Mapping[str, str]) -> bool:
        """Say whether a file is of a class: what is no picture and called like none is not."""
        return may_be_picture(file) or self._names.knows(match["emotion"])

    def _check_start(self, path: Path, fitting: Sequence[Found]) -> None:
        """Refuse paths that differ before the pattern's start: a person may be named there."""
        first = fitting[0][1][ABOVE]
        other = next((found for found in fitting if found[1][ABOVE] != first), None)
        if other is None:
            return
        file, match = other
        meant = ", ".join(f"{key} {text!r}" for key, text in match.items() if key != ABOVE)
        raise DataError(
            f"{path}: wanted paths like {self.pattern.text!r} below one folder, found"
            f" {str(file.path)!r} ({meant}) below {match[ABOVE] or './'!r} and others below"
            f" {first or './'!r}: name those folders in `mien data prepare --pattern`, too, as * if"
            " they say nothing."
        )

    def _misfit(self, path: Path, others: list[TreeFile], count: int) -> str:
        wanted = f"{path}: wanted paths like {self.pattern.text!r}"
        if not others:
            return f"{wanted}, found no picture."
        return (
            f"{wanted}, found {str(others[0].path)!r} (of {count:,} pictures, {len(others):,} do"
            " not fit); `mien data prepare --pattern` takes another pattern."
        )


def _entry(file: TreeFile, match: Mapping[str, str], classes: Classes) -> Iterator[Entry]:
    """Give what a path says of a file; nothing if its class is to be left out."""
    expression = classes.expression(match["emotion"])
    if expression is not None:
        split = _split(match.get("split", ""), file.where)
        yield Entry(str(file.path), file, expression, split, match.get("subject", ""))


def _split(text: str, where: str) -> Split:
    return split_in((text,)) or named_split(text, where)
