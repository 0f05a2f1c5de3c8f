"""Dataset readers, one file each; `read_dataset` finds the one that fits a path.

To add a dataset, add a file with a class that has the methods of `Reader` and register it. What
readers share stands in the files `classes`, `cells`, `gaps` and `suffixes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from mien.data.dataset import FaceDataset
from mien.data.readers.gaps import gaps
from mien.data.sample import Sample
from mien.data.stack import gathered
from mien.data.store import is_store, read_store
from mien.errors import DataError
from mien.labels import ClassNames, LabelSet, smallest_label_set
from mien.registry import Registry

Skip = Callable[[DataError], None]
"""Called with the error of each file of a tree that is left out because it cannot be read."""


class Reader(Protocol):
    """What a dataset reader does."""

    @property
    def labels(self) -> LabelSet | None:
        """The dataset's label set, widened where there are further classes; None for any."""

    @property
    def order(self) -> int:
        """Readers with a smaller number are asked first; general layouts come last."""

    @property
    def notes(self) -> Sequence[str]:
        """What the dataset's history is to say of what was read, once all is: a sentence each."""

    def accepts(self, path: Path) -> bool:
        """Say, from names alone, whether `path` looks like this dataset."""

    def samples(self, path: Path, skip: Skip, *, progress: bool = False) -> Iterator[Sample]:
        """Read one face after the other; `progress` shows a bar on the terminal.

        Raises:
            DataError: Naming the file and the row that cannot be read.
        """


ReaderFactory = Callable[[ClassNames], Reader]
"""Makes a reader that understands the user's class names."""

READERS: Registry[ReaderFactory] = Registry("dataset layout", "mien.data.readers", DataError)


def read_dataset(
    path: Path | str,
    *,
    layout: str | None = None,
    names: ClassNames | None = None,
    skip: Skip | None = None,
    progress: bool = False,
) -> FaceDataset:
    """Read a dataset of faces of one size.

    Args:
        path: A file or folder in one of the layouts the readers know, or a store.
        layout: The reader's name; None for the first that accepts the path.
        names: What class names mean beyond the usual spellings.
        skip: Called with the error of each unreadable file; None raises the first.
        progress: Whether to show a bar with the time left.

    Raises:
        DataError: If the path is missing, no reader knows its layout, or its content is wrong; if
            names are given for a store.
    """
    path = Path(path)
    if path.exists() and layout is None and is_store(path):
        _check_no_names(path, names)
        return read_store(path, progress=progress)
    name, reader = find_reader(path, layout, names)
    skipped: list[DataError] = []

    def note(error: DataError) -> None:
        skipped.append(error)
        (skip or _raise)(error)

    rows, images = gathered(name, reader.samples(path, note, progress=progress))
    if skipped and not rows:
        raise skipped[0]
    labels = labels_of(reader, (row.expression for row in rows))
    dataset = FaceDataset.from_rows(name, labels, rows, images)
    unreadable = (f"{len(skipped)} unreadable files left out",) if skipped else ()
    steps = (*unreadable, *reader.notes, *gaps(rows))
    return replace(dataset, history=tuple(f"read: {step}" for step in steps))


def labels_of(reader: Reader, expressions: Iterable[str]) -> LabelSet:
    """Return a reader's label set; where it lacks what was found, the smallest that holds both.

    Args:
        reader: The dataset's reader.
        expressions: What each face shows; "" for those without a label, which need none.
    """
    found = set(expressions) - {""}
    own = reader.labels.expressions if reader.labels is not None else ()
    if reader.labels is not None and found <= set(own):
        return reader.labels
    return smallest_label_set(found.union(own))


def find_reader(
    path: Path, layout: str | None = None, names: ClassNames | None = None
) -> tuple[str, Reader]:
    """Return the name of the layout of a path, and its reader.

    Raises:
        DataError: If the path is missing, or no reader accepts it.
    """
    if not path.exists():
        raise DataError(f"No such file or folder: {path}.")
    if layout is not None:
        return layout, READERS[layout](names or ClassNames())
    readers = {name: READERS[name](names or ClassNames()) for name in READERS}
    for name, reader in sorted(readers.items(), key=lambda item: item[1].order):
        if reader.accepts(path):
            return name, reader
    raise DataError(f"{path} is not laid out like a known dataset ({', '.join(READERS)}).")


def _check_no_names(store: Path, names: ClassNames | None) -> None:
    if names is not None and names.own:
        raise DataError(
            f"{store} is a dataset that mien wrote, whose labels are expressions already: --name"
            f" {next(iter(names.own))!r} has nothing to name there."
        )


def _raise(error: DataError) -> None:
    raise error
