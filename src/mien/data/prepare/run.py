"""Preparing a whole dataset: many pictures, an interruption survived, a dataset at the end."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from mien.data.dataset import FaceDataset
from mien.data.pictures import Entry, PictureReader
from mien.data.prepare.outcome import Outcome
from mien.data.prepare.outcomes import Outcomes
from mien.data.prepare.settings import PREPARED, Preparation
from mien.data.prepare.workers import prepare_all
from mien.data.readers import find_reader, labels_of
from mien.data.readers.gaps import gaps
from mien.data.readers.pattern import ByPattern
from mien.data.sample import Sample
from mien.data.store import is_store
from mien.errors import DataError
from mien.inference.gathered import partial_path
from mien.inference.journal import Journal
from mien.labels import ClassNames, LabelSet


class NoFaceError(DataError):
    """Pictures of which none shows a face."""


@dataclass(frozen=True)
class RawDataset:
    """Photographs that are to be prepared.

    Args:
        path: Where they are.
        name: Their layout's name.
        labels: Their label set.
        entries: Each of them, at least one; ids are unique.
        notes: What the dataset's history is to say of them, a sentence each.
    """

    path: Path
    name: str
    labels: LabelSet
    entries: Sequence[Entry]
    notes: Sequence[str] = ()


def list_pictures(
    path: Path,
    layout: str | None = None,
    names: ClassNames | None = None,
    pattern: str | None = None,
) -> RawDataset:
    """List a dataset's pictures without decoding them.

    Args:
        path: A folder, a zip archive or a list.
        layout: The reader's name; None for the first that accepts the path.
        names: What class names mean beyond the usual spellings.
        pattern: What its paths look like, for the layouts "pattern" (the usual one then) and
            "imed".

    Raises:
        DataError: If the dataset is not one of picture files, is empty, or names one twice.
        MienError: If a class name means no known expression; lists those.
    """
    name, reader = _reader(path, layout, names, pattern)
    entries = reader.entries(path)
    if not entries:
        raise DataError(f"{path} holds no picture of the layout {name!r}.")
    repeated = [id_ for id_, count in Counter(e.id for e in entries).items() if count > 1]
    if repeated:
        raise DataError(f"{path} names the picture {repeated[0]!r} more than once.")
    labels = labels_of(reader, (entry.expression for entry in entries))
    return RawDataset(path, name, labels, entries, (*reader.notes, *gaps(entries)))


def _reader(
    path: Path, layout: str | None, names: ClassNames | None, pattern: str | None
) -> tuple[str, PictureReader]:
    if is_store(path):
        raise DataError(
            f"{path} is a dataset that mien wrote: its faces are cut out already, and votes and"
            " history would be lost. Prepare the photos that it was made of."
        )
    if pattern is not None and layout is None:
        layout = "pattern"
    name, reader = find_reader(path, layout, names)
    if not isinstance(reader, PictureReader):
        raise DataError(
            f"{path} (layout {name!r}) holds faces in a table, not pictures to prepare."
        )
    if pattern is None:
        return name, reader
    if not isinstance(reader, ByPattern):
        raise DataError(f"A pattern goes with the layouts 'pattern' and 'imed', not {name!r}.")
    return name, reader.with_pattern(pattern)


class _Run(Preparation):
    """What a journal's faces depend on."""

    source: str


@contextmanager
def prepare(
    raw: RawDataset,
    settings: Preparation,
    out: Path,
    *,
    jobs: int = 1,
    resume: bool = False,
    progress: bool = False,
) -> Iterator[Outcomes]:
    """Prepare all pictures for a block that writes what came of them.

    What is done stands in `<out>.partial` until the block ends. An error in it leaves the file
    there, to be carried on; but after a `NoFaceError` there is nothing to carry on.

    Args:
        raw: The pictures.
        settings: What is done to each.
        out: Where the dataset is going to be written.
        jobs: How many processes work.
        resume: Whether to carry on an interrupted run with the same settings.
        progress: Whether to show a bar.

    Yields:
        What became of each picture, in the order of `raw.entries`.

    Raises:
        MienError: If an interrupted run stands there and is not to be carried on, or had other
            settings.
        BusyError: If another process prepares pictures to there.
    """
    settings.check()
    run = _Run(source=str(raw.path.resolve()), **settings.model_dump())
    start = Journal.resume if resume else Journal.create
    with start(partial_path(out), run) as journal:
        try:
            yield _outcomes(raw, settings, journal, jobs, progress)
        except BaseException as error:
            if isinstance(error, NoFaceError) or not len(journal):
                journal.discard()
            raise
        journal.discard()


def _outcomes(
    raw: RawDataset, settings: Preparation, journal: Journal, jobs: int, progress: bool
) -> Outcomes:
    missing = [entry for entry in raw.entries if entry.id not in journal]
    bar = track(
        prepare_all(missing, settings, jobs),
        "Preparing pictures",
        total=len(missing),
        console=Console(stderr=True),
        disable=not progress,
    )
    for outcome in bar:
        journal.write(outcome.record())
    return Outcomes.read(journal, [entry.id for entry in raw.entries], settings.size)


def prepared_dataset(raw: RawDataset, outcomes: Outcomes, settings: Preparation) -> FaceDataset:
    """Return the faces that were found, in the order of the pictures.

    Raises:
        NoFaceError: If there is none.
    """
    rows = [
        Sample(entry.id, outcome.face, entry.expression, entry.split, entry.subject)
        for entry, outcome in zip(raw.entries, outcomes)
        if outcome.face is not None
    ]
    if not rows:
        raise NoFaceError(f"{raw.path}: nothing can be prepared: {_counted(outcomes)}.")
    dataset = FaceDataset.from_rows(raw.name, raw.labels, rows, outcomes.faces)
    step = f"{PREPARED}{settings.summary}): {_counted(outcomes)}"
    return dataclasses.replace(dataset, history=(*(f"read: {note}" for note in raw.notes), step))


def _counted(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.status for outcome in outcomes)
    several = sum(outcome.faces > 1 for outcome in outcomes)
    framed = sum(any(outcome.frame) for outcome in outcomes)
    text = (
        f"{len(outcomes):,} pictures, {counts['ok']:,} with a face ({several:,} with several, of"
        f" which the largest was taken), {counts['no face']:,} without, {counts['unreadable']:,}"
        f" unreadable; a black frame was cut off {framed:,}"
    )
    looked = [outcome.eyes for outcome in outcomes if outcome.eyes is not None]
    if not looked:
        return text
    return f"{text}; {sum(looked):,} faces levelled, {looked.count(False):,} without eyes found"
