"""What the persons of videos showed, as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from mien.inference.journal import printable
from mien.inference.percent import percent

if TYPE_CHECKING:
    from mien.inference.video.outcome import VideoOutcome
    from mien.inference.video.summary import PersonSummary

MOST_ROWS = 30
"""Persons shown of each video: those seen longest."""

MOST_SHARES = 3
"""Expressions shown of each person: those that led for longest."""

LEAST_SHARE = 0.005
"""A share below this is not shown."""


def persons_table(outcomes: Sequence[VideoOutcome]) -> Table:
    """Return a table with a line per person, and one for a video without a face."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("Video", overflow="fold")
    for column in ("Frames", "Person", "From, to", "Seconds", "Episodes"):
        table.add_column(column, no_wrap=True, justify="right")
    table.add_column("Share of the time")
    people = [person for outcome in outcomes for person in outcome.persons]
    if any(share >= LEAST_SHARE for person in people for share in person.answered.values()):
        table.add_column("Answered")
    names = _names([outcome.path for outcome in outcomes])
    for outcome in outcomes:
        first = [escape(names[outcome.path]), f"{outcome.frames:,}"]
        persons = sorted(outcome.persons, key=lambda person: -person.seconds)
        if not persons:
            table.add_row(*first, _nobody(outcome))
        for person in persons[:MOST_ROWS]:
            table.add_row(*first, *_cells(person)[: len(table.columns) - len(first)])
            first = ["", ""]
        if len(persons) > MOST_ROWS:
            table.add_row("", "", f"[dim]… {len(persons) - MOST_ROWS} more[/dim]")
    return table


def _nobody(outcome: VideoOutcome) -> str:
    if outcome.frames:
        return "[dim]no face[/dim]"
    return "[red]not readable[/red]" if outcome.message else "[dim]not read[/dim]"


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the videos' names; where two are alike, all with the folders that differ."""
    if len({path.name for path in paths}) == len(paths):
        return {path: printable(path.name) for path in paths}
    from mien.inference.marked import below_common

    return {path: printable(str(below)) for path, below in below_common(paths).items()}


def _cells(person: PersonSummary) -> list[str]:
    return [
        str(person.track),
        f"{person.first:.1f}–{person.until:.1f}",
        f"{person.seconds:.1f}",
        str(len(person.episodes)),
        _shares(person.shares),
        _shares(person.answered),
    ]


def _shares(shares: Mapping[str, float]) -> str:
    ranked = sorted(shares.items(), key=lambda item: -item[1])[:MOST_SHARES]
    return ", ".join(f"{name} {percent(share)}" for name, share in ranked if share >= LEAST_SHARE)
