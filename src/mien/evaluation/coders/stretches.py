"""Codings of videos: what people or programs say of stretches of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mien.data.tables import csv_rows
from mien.errors import DataError
from mien.evaluation.coders.clock import seconds
from mien.evaluation.coders.codings import (
    CATEGORIES,
    category_of,
    column_of,
    columns_of,
    first_of,
    named_first,
    plain,
    same_name,
)
from mien.labels import ClassNames

STARTS = ("onset", "start", "begin", "start (s)", "start_time", "begin time - ss.msec")
ENDS = ("offset", "end", "stop", "stop (s)", "end_time", "end time - ss.msec")
TIMES = ("time", "timestamp")
VIDEOS = ("media file name", "source", "video", "media file", "observation id", "file", "filename")
PERSONS = ("subject", "person", "track", "face_id")
CODES = (*CATEGORIES, "behavior", "annotation")
"""Columns are the first of these that are there: mien's, BORIS's, and what people call them."""

APEX = "apex"
"""The column that tells mien's episodes, which name neutral ones, too.

Between them no face is there, or one on which no expression lasts: neither is coded.
"""

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


class Said(NamedTuple):
    """What a coder says, where that stands, and of whom; "" of nobody in particular."""

    where: str
    stretch: Stretch
    person: str = ""


_Videos = Mapping[str, Sequence[Said]]


@dataclass(frozen=True)
class TimedCoding:
    """What one coder says of videos.

    Args:
        coder: The coder's name.
        videos: The stretches by video, in order, no two at one time.
        rests: Whether what lies between them was looked at, too, and showed nothing.
        persons: Whom it is of, where the coder says so.
        episodes: Whether they are mien's episodes, which leave out more than absence.
    """

    coder: str
    videos: Mapping[str, Sequence[Stretch]]
    rests: bool
    persons: frozenset[str] = frozenset()
    episodes: bool = False


def is_timed(path: Path) -> bool:
    """Say whether a CSV table is one of stretches or frames.

    Raises:
        DataError: If it cannot be read.
    """
    columns = columns_of(path)
    stretches = first_of(columns, STARTS) and first_of(columns, ENDS)
    return bool(stretches or (FRAME in columns and first_of(columns, TIMES)))


def read_stretches(
    path: Path,
    *,
    video: str | None = None,
    category: str | None = None,
    names: ClassNames | None = None,
    persons: Sequence[str] = (),
) -> TimedCoding:
    """Read a CSV table of stretches with start and end, or of frames with their times.

    Between stretches nothing is to be seen, but between mien's, which is not coded; those without
    a length, as of events, are left out. A frame lasts until the next, or for twice the usual time
    between two; what lies between frames, and frames of which nothing is said, are not coded. Rows
    without a time that say nothing are passed over.

    Args:
        path: The table; its name without suffix is the coder's.
        video: The column of the video; the first of `VIDEOS`, or none, where the table lacks it.
        category: The column of what it shows; the first of `CODES` where the table lacks it.
        names: What words mean beyond the usual spellings.
        persons: Whom to read, as the first of `PERSONS` names them; by default all, as are those
            of a table that names nobody.

    Raises:
        DataError: If it cannot be read, lacks a column, names none of the persons, a time is none,
            or two things are said of one time; names the line.
    """
    columns = _Columns.of(columns_of(path), path, video, category)
    videos = _rows(path, columns, names or ClassNames())
    if not columns.ends:
        videos = {name: _lasting(frames) for name, frames in videos.items()}
    videos = _with_length(_of_persons(videos, persons, path))
    together = {name: joined(in_order(said)) for name, said in videos.items()}
    if not any(together.values()):
        raise DataError(f"{path} says of no time what is to be seen.")
    whom = {one.person for said in videos.values() for one in said if one.stretch.category}
    return TimedCoding(
        path.stem, together, columns.rests, frozenset(whom - {""}), columns.are_episodes
    )


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
        cls, columns: Mapping[str, str], path: Path, video: str | None, category: str | None
    ) -> _Columns:
        ends = first_of(columns, ENDS)
        return cls(
            where=first_of(columns, named_first(video, VIDEOS)),
            what=column_of(columns, named_first(category, CODES), path),
            starts=column_of(columns, STARTS if ends else TIMES, path),
            ends=ends,
            person=first_of(columns, PERSONS),
            apex=first_of(columns, (APEX,)),
        )

    @property
    def are_episodes(self) -> bool:
        return bool(self.ends and self.apex)

    @property
    def rests(self) -> bool:
        return bool(self.ends) and not self.apex

    def tells(self, row: Mapping[str, str]) -> bool:
        """Say whether a row has a time or says something: a damaged video's does neither."""
        return any(row[column].strip() for column in (self.starts, self.ends, self.what) if column)

    def video(self, row: Mapping[str, str]) -> str:
        return same_name(row[self.where]) if self.where else ""

    def said(self, row: Mapping[str, str], line: str, names: ClassNames) -> Said:
        """Return what a row says; a frame has no length yet."""
        start = seconds(row[self.starts], line)
        end = seconds(row[self.ends], line) if self.ends else start
        if end < start:
            raise DataError(f"{line}: ends at {end:g} s, before it begins at {start:g} s.")
        said = row[self.what]
        category = category_of(said, names) if said.strip() else ""
        return Said(
            line, Stretch(start, end, category), plain(row[self.person]) if self.person else ""
        )


def _rows(path: Path, columns: _Columns, names: ClassNames) -> _Videos:
    """Return what each row says that says anything, by video."""
    found = defaultdict[str, list[Said]](list)
    with csv_rows(path) as rows:
        for row in filter(columns.tells, rows):
            said = columns.said(row, f"{path}, line {rows.line_num}", names)
            found[columns.video(row)].append(said)
    return found


def _of_persons(videos: _Videos, persons: Iterable[str], path: Path) -> _Videos:
    """Return what is said of the persons; all of it where none is wanted, or nobody is named."""
    wanted = list(dict.fromkeys(map(plain, persons)))
    there = dict.fromkeys(one.person for said in videos.values() for one in said if one.person)
    if not wanted or not there:
        return videos
    if there.keys().isdisjoint(wanted):
        raise DataError(
            f"{path}: wanted the person {' or '.join(wanted)}, found {', '.join(there)}."
        )
    return _kept(videos, lambda one: one.person in wanted)


def _with_length(videos: _Videos) -> _Videos:
    return _kept(videos, lambda one: one.stretch.end > one.stretch.start)


def _kept(videos: _Videos, which: Callable[[Said], bool]) -> _Videos:
    """Return what is chosen, by the videos that have any of it."""
    found = {name: list(filter(which, said)) for name, said in videos.items()}
    return {name: said for name, said in found.items() if said}


def in_order(rows: Iterable[Said]) -> list[Stretch]:
    """Return stretches by their start.

    Raises:
        DataError: If two with something said lie at one time.
    """
    ordered = sorted(rows, key=lambda one: (one.stretch.start, one.stretch.end))
    for before, after in pairwise([one for one in ordered if one.stretch.category]):
        start = after.stretch.start
        if start < before.stretch.end - TOUCHING or start == before.stretch.start:
            raise DataError(_at_once(before, after))
    return [one.stretch for one in ordered]


def _at_once(before: Said, after: Said) -> str:
    told = f"{after.where}: says {after.stretch.category!r} of {after.stretch.start:g} s, where"
    told += f" {before.stretch.category!r} is said, too"
    if before.person != after.person:
        return f"{told}, but of {before.person!r}, not {after.person!r}: name one with --person."
    return f"{told}: keep what is of one person, and categories that exclude each other."


def _lasting(frames: Sequence[Said]) -> list[Said]:
    """Return frames as stretches that last until the next one, whomever that is of."""
    times = np.unique([frame.stretch.start for frame in frames])
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    after = dict(zip(times, [*np.minimum(times[1:], times[:-1] + 2 * usual), times[-1] + usual]))
    ends = (float(after[frame.stretch.start]) for frame in frames)
    return [f._replace(stretch=replace(f.stretch, end=end)) for f, end in zip(frames, ends)]


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
