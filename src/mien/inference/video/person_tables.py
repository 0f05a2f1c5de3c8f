"""Flat tables of what the persons of a run showed, for programs that read no JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mien.errors import MienError
from mien.files import whole_file
from mien.inference.sinks import Row, csv_table
from mien.inference.video.outcome import VideoOutcome
from mien.inference.video.summary import PersonSummary

EPISODES = "episodes.csv"
PERSONS = "persons.csv"

EPISODE_COLUMNS = (
    *("source", "person", "expression", "onset", "apex", "offset", "duration", "peak"),
    "apex_frame",
)

DIGITS = 6
"""Decimals of a duration: a difference of two times has digits that mean nothing."""


def write_person_tables(
    folder: Path, outcomes: Sequence[VideoOutcome], expressions: Sequence[str]
) -> None:
    """Write `episodes.csv` and `persons.csv`, of all videos together, into a folder.

    Both are as RFC 4180 says, in UTF-8; the numbers are those of each video's `summary.json`.

    Raises:
        MienError: If one cannot be written.
    """
    people = [person for outcome in outcomes for person in outcome.persons]
    try:
        _write(folder / EPISODES, EPISODE_COLUMNS, _episodes(people))
        _write(folder / PERSONS, _columns(expressions), map(_person, people))
    except OSError as error:
        raise MienError(f"{folder} cannot be written: {error.strerror or error}.") from error


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
