"""Flat tables of a run's videos and of what their persons showed, for programs without JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mien.errors import MienError
from mien.files import whole_file
from mien.inference.journal import printable
from mien.inference.sinks import Row, csv_table
from mien.inference.video.outcome import VideoOutcome
from mien.inference.video.summary import PersonSummary

VIDEOS = "videos.csv"
EPISODES = "episodes.csv"
PERSONS = "persons.csv"

TABLES = (VIDEOS, EPISODES, PERSONS)
"""The names of the tables."""

VIDEO_COLUMNS = (
    *("source", "first", "until", "seconds", "frames", "share_no_face", "persons"),
    "message",
)

EPISODE_COLUMNS = (
    *("source", "person", "expression", "onset", "apex", "offset", "duration", "peak"),
    "apex_frame",
)

DIGITS = 6
"""Decimals of a duration: a difference of two times has digits that mean nothing."""


def write_flat_tables(
    folder: Path, outcomes: Sequence[VideoOutcome], expressions: Sequence[str]
) -> None:
    """Write `videos.csv`, `episodes.csv` and `persons.csv`, of all videos together, into a folder.

    All are as RFC 4180 says, in UTF-8; the numbers are those of each video's `summary.json`. A
    video without a person, and one that cannot be read, has a row in the first alone.

    Raises:
        MienError: If one cannot be written.
    """
    people = [person for outcome in outcomes for person in outcome.persons]
    try:
        _write(folder / VIDEOS, VIDEO_COLUMNS, map(_video, outcomes))
        _write(folder / EPISODES, EPISODE_COLUMNS, _episodes(people))
        _write(folder / PERSONS, _columns(expressions), map(_person, people))
    except OSError as error:
        raise MienError(f"{folder} cannot be written: {error.strerror or error}.") from error


def _video(outcome: VideoOutcome) -> Row:
    first, until = outcome.span or (None, None)
    return {
        "source": printable(str(outcome.path)),
        "first": first,
        "until": until,
        "seconds": 0.0 if first is None or until is None else round(until - first, DIGITS),
        "frames": outcome.frames,
        "share_no_face": outcome.share_no_face,
        "persons": len(outcome.timelines),
        "message": outcome.message or None,
    }


def _episodes(people: Iterable[PersonSummary]) -> Iterator[Row]:
    for person in people:
        for episode in person.episodes:
            yield {
                "source": person.source,
                "person": person.track,
                "expression": episode.expression,
                "onset": episode.onset,
                "apex": episode.apex,
                "offset": episode.offset,
                "duration": round(episode.offset - episode.onset, DIGITS),
                "peak": episode.peak,
                "apex_frame": episode.place.index,
            }


def _columns(expressions: Sequence[str]) -> list[str]:
    return [
        *("source", "person", "first", "until", "seconds", "rows"),
        *(f"share_{name}" for name in expressions),
        *("share_uncertain", "share_not_a_face"),
        *(f"episodes_{name}" for name in expressions),
    ]


def _person(person: PersonSummary) -> Row:
    counts = Counter(episode.expression for episode in person.episodes)
    return {
        "source": person.source,
        "person": person.track,
        "first": person.first,
        "until": person.until,
        "seconds": person.seconds,
        "rows": person.rows,
        **{f"share_{name}": share for name, share in person.shares.items()},
        "share_uncertain": person.answered["uncertain"],
        "share_not_a_face": person.answered["not a face"],
        **{f"episodes_{name}": counts[name] for name in person.shares},
    }


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with whole_file(path) as temporary:
        csv_table(rows, columns, temporary, line_end="\r\n")
