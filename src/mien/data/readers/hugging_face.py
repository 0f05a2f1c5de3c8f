"""Parquet with the pictures in it, as datasets come from Hugging Face's hub.

One file, or a folder of them such as `data/train-00000-of-00001.parquet`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mien.data.hub import SUFFIX, is_parquet, parquet_files
from mien.data.picture_table import PictureTable, holds_pictures
from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.readers.cells import people, said_class
from mien.data.readers.classes import Classes
from mien.data.readers.suffixes import is_picture
from mien.data.tree import tree_files
from mien.errors import DataError
from mien.labels import ClassNames


@READERS.register("hugging-face")
class HuggingFace(PictureReader):
    """Reader of Parquet with pictures; ids are the file's path without suffix, and the row."""

    order = 40
    """Before the reader of lists, which may be Parquet, and that of folders."""

    def __init__(self, names: ClassNames) -> None:
        self._names = names

    def accepts(self, path: Path) -> bool:
        """Accept Parquet files with pictures, and folders of Parquet that have no class folders.

        Other pictures in a folder are those of its description.
        """
        if path.is_dir():
            return self._accepts_folder(path)
        return path.suffix.lower() == SUFFIX and holds_pictures(path)

    def entries(self, path: Path) -> list[Entry]:
        """List the pictures, file after file.

        The split is the row's `split`, or else what a file's name or folder says; the subject is
        the row's `subject`.

        Raises:
            DataError: If a file is not Parquet, or has no column with pictures or labels; if a
                folder holds several datasets.
            MissingExtraError: If pyarrow is not installed.
            MienError: If a label names no known expression; lists those.
        """
        tables = [PictureTable.of(file) for file in parquet_files(path)]
        labels = {said_class(label, self._names) for table in tables for label in table.labels}
        self._names.check(labels - {""}, str(path))
        classes = Classes(self._names)
        subjects, nobody = people(who for table in tables for who in table.subjects)
        entries = list(self._entries(tables, subjects, classes))
        self.notes = (*classes.notes, *nobody)
        return entries

    def _entries(
        self, tables: Sequence[PictureTable], subjects: Sequence[str], classes: Classes
    ) -> Iterator[Entry]:
        rows = (row for table in tables for row in table.rows())
        for (picture, label, split), subject in zip(rows, subjects):
            expression = classes.expression(said_class(label, self._names))
            if expression is not None:
                yield Entry(str(picture.path), picture, expression, split, subject)

    def _accepts_folder(self, path: Path) -> bool:
        try:
            files = tree_files(path)
        except DataError:  # who reads it will say so
            return False
        tables = [file for file in files if is_parquet(file)]
        pictures = [file for file in files if is_picture(file)]
        if not tables or not pictures:
            return bool(tables)
        classes = any(self._names.knows(picture.path.parent.name) for picture in pictures)
        return not classes and holds_pictures(tables[0].place)
