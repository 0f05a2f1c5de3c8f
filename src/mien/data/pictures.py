"""Datasets that are picture files: what they hold is listed first, and decoded afterwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from mien.data.sample import Sample, Split
from mien.data.tree import TreeFile, read_grey
from mien.errors import DataError
from mien.labels import LabelSet


@dataclass(frozen=True)
class Entry:
    """One picture of a dataset, not decoded yet.

    Args:
        id: Unique within its dataset.
        file: Where the picture is.
        expression: A name of the vocabulary.
        split: The dataset's own split, if it has one.
        subject: Who is shown, or "" where unknown.
    """

    id: str
    file: TreeFile
    expression: str
    split: Split = ""
    subject: str = ""


class PictureReader(ABC):
    """Reader of a dataset of picture files: it lists them, and the rest follows."""

    labels: LabelSet | None = None
    order = 90
    notes: Sequence[str] = ()
    """What the dataset's history is to say of the pictures that were listed: a sentence each."""

    @abstractmethod
    def accepts(self, path: Path) -> bool:
        """Say, from names alone, whether `path` looks like this dataset."""

    @abstractmethod
    def entries(self, path: Path) -> list[Entry]:
        """List the pictures in a fixed order, without decoding them.

        Raises:
            DataError: If `path` is not laid out as this dataset is.
            MienError: If a class name means no known expression; lists those.
        """

    def samples(
        self, path: Path, skip: Callable[[DataError], None], *, progress: bool = False
    ) -> Iterator[Sample]:
        """Read the pictures in their order: grey, of the size they have.

        Args:
            path: The dataset.
            skip: Called with the error of each picture that cannot be read and is left out.
            progress: Whether to show a bar.

        Raises:
            DataError: As `entries`.
        """
        entries = self.entries(path)
        console = Console(stderr=True)
        for entry in track(entries, "Reading pictures", console=console, disable=not progress):
            try:
                image = read_grey(entry.file)
            except DataError as error:
                skip(error)
            else:
                yield Sample(entry.id, image, entry.expression, entry.split, entry.subject)
