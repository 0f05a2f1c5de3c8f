"""Codings of videos: what people or programs say of stretches of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mien.data.tables import csv_rows, decimal
from mien.errors import DataError
from mien.evaluation.codings import CATEGORIES, category_of, column_of
from mien.labels import ClassNames

STARTS = ("onset", "start", "begin", "start (s)", "start_time", "begin time - ss.msec")
ENDS = ("offset", "end", "stop", "stop (s)", "end_time", "end time - ss.msec")
TIMES = ("time", "timestamp")
VIDEOS = ("media file name", "source", "video", "media file", "observation id", "file", "filename")
PERSONS = ("subject", "person", "track", "face_id")
CODES = (*CATEGORIES, "behavior", "annotation")
"""Columns are the first of these that are there: mien's, BORIS's, and what people call them."""

APEX = "apex"
"""The column that tells mien's episodes, which name neutral ones, too: between them is no face."""

FRAME = "frame"
"""The column that tells a table of frames from one of pictures that says when they were coded."""

TOUCHING = 1e-6
"""Stretches that are no further apart, in seconds, follow each other at once."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of a video of which a coder says one thing.

    Args:
        start: Where it begins, in seconds.
        end: Where it ends; it is no longer part of it.
        category: What the coder says.
    """

    start: float
    end: float
    category: str


@dataclass(frozen=True)
class TimedCoding:
    """What one coder says of videos.

    Args:
        coder: The coder's name.
        videos: The stretches by video, in order, no two at one time.
        rests: Whether what lies between them was looked at, too, and showed nothing.
        persons: Whom it is of, where the coder says so.
    """

    coder: str
    videos: Mapping[str, Sequence[Stretch]]
    rests: bool
    persons: frozenset[str] = frozenset()


def is_timed(path: Path) -> bool:
    """Say whether a CSV table is one of stretches or frames.

    Raises:
        DataError: If it cannot be read.
    """
    with csv_rows(path) as rows:
        columns = {name.strip().lower() for name in rows.fieldnames or ()}
    stretches = not columns.isdisjoint(STARTS) and not columns.isdisjoint(ENDS)
    return stretches or (FRAME in columns and not columns.isdisjoint(TIMES))


def read_stretches(
    path: Path,
    *,
    video: str | None = None,
    category: str | None = None,
    names: ClassNames | None = None,
) -> TimedCoding:
    """Read a CSV table of stretches with start and end, or of frames with their times.

    Between stretches nothing is to be seen, but between mien's, which is not coded; those without
    a length, as of events, are left out. A frame lasts until the next, or for twice the usual time
    between two; what lies between frames, and frames of which nothing is said, are not coded.

    Args:
        path: The table; its name without suffix is the coder's.
        video: The column of the video; by default the first of `VIDEOS`, or none.
        category: The column of what it shows; by default the first of `CODES`.
        names: What words mean beyond the usual spellings.

    Raises:
        DataError: If it cannot be read, lacks a column, a time is none, or two things are said of
            one time; names the line.
    """
    known, found = names or ClassNames(), defaultdict[str, list[tuple[str, Stretch]]](list)
    persons = set[str]()
    with csv_rows(path) as rows:
        columns = _Columns.of(rows.fieldnames or (), path, video, category)
        for row in rows:
            line = f"{path}, line {rows.line_num}"
            stretch = columns.stretch(row, line, known)
            if stretch.end > stretch.start or not columns.ends:
                found[columns.video(row)].append((line, stretch))
            if stretch.category and columns.person:
                persons.add(row[columns.person].strip())
    videos = {name: in_order(stretches) for name, stretches in found.items()}
    if not columns.ends:
        videos = {name: _lasting(frames) for name, frames in videos.items()}
    together = {name: joined(stretches) for name, stretches in videos.items()}
    if not any(together.values()):
        raise DataError(f"{path} says of no time what is to be seen.")
    return TimedCoding(path.stem, together, columns.rests, frozenset(persons - {""}))


class _Columns(NamedTuple):
    """A table's columns; "" for one that it has not."""

    where: str
    what: str
    starts: str
    ends: str
    person: str
    apex: str

    @classmethod
    def of(
        cls, names: Iterable[str], path: Path, video: str | None, category: str | None
    ) -> _Columns:
        columns = {name.strip().lower(): name for name in names}
        ends = _first(columns, ENDS)
        return cls(
            where=column_of(columns, (video,), path) if video else _first(columns, VIDEOS),
            what=column_of(columns, (category,) if category else CODES, path),
            starts=column_of(columns, STARTS if ends else TIMES, path),
            ends=ends,
            person=_first(columns, PERSONS),
            apex=columns.get(APEX, ""),
        )

    @property
    def rests(self) -> bool:
        return bool(self.ends) and not self.apex

    def video(self, row: Mapping[str, str]) -> str:
        return row[self.where] if self.where else ""

    def stretch(self, row: Mapping[str, str], line: str, names: ClassNames) -> Stretch:
        """Return what a row says; a frame has no length yet."""
        start = _seconds(row[self.starts], line)
        end = _seconds(row[self.ends], line) if self.ends else start
        if end < start:
            raise DataError(f"{line}: ends at {end:g} s, before it begins at {start:g} s.")
        said = row[self.what]
        return Stretch(start, end, category_of(said, names) if said.strip() else "")


def _first(columns: Mapping[str, str], wanted: Sequence[str]) -> str:
    return next((columns[name] for name in wanted if name in columns), "")


def _seconds(text: str, line: str) -> float:
    """Return a time in seconds, of 83.5 as of 00:01:23.5."""
    try:
        parts = [decimal(part) for part in text.split(":")]
        value = sum(part * 60.0**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise DataError(f"{line}: wanted a time in seconds, or as hh:mm:ss.sss, found {text!r}.")
    return value


def in_order(rows: Iterable[tuple[str, Stretch]]) -> list[Stretch]:
    """Return stretches by their start.

    Args:
        rows: Each with where it stands, for the error.

    Raises:
        DataError: If two with something said lie at one time.
    """
    ordered = sorted(rows, key=lambda row: (row[1].start, row[1].end))
    said = [(where, stretch) for where, stretch in ordered if stretch.category]
    for (_, before), (where, stretch) in pairwise(said):
        if stretch.start < before.end - TOUCHING or stretch.start == before.start:
            raise DataError(
                f"{where}: says {stretch.category!r} of {stretch.start:g} s, where"
                f" {before.category!r} is said, too: keep what is of one person, and categories"
                " that exclude each other."
            )
    return [stretch for _, stretch in ordered]


def _lasting(frames: Sequence[Stretch]) -> list[Stretch]:
    """Return frames as stretches that last until the next one."""
    times = np.unique([frame.start for frame in frames])
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    after = dict(zip(times, [*np.minimum(times[1:], times[:-1] + 2 * usual), times[-1] + usual]))
    return [Stretch(f.start, float(after[f.start]), f.category) for f in frames]


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return stretches with those made one that follow at once and say the same; silent ones go."""
    found: list[Stretch] = []
    for stretch in stretches:
        last = found[-1] if found else None
        if not stretch.category or stretch.end <= stretch.start:
            continue
        if last is not None and _goes_on(last, stretch):
            found[-1] = Stretch(last.start, stretch.end, last.category)
        else:
            found.append(stretch)
    return found


def _goes_on(last: Stretch, stretch: Stretch) -> bool:
    return last.category == stretch.category and stretch.start - last.end <= TOUCHING
