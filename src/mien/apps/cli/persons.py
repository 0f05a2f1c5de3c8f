"""What the persons of videos showed, as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from mien.inference.video.outcome import VideoOutcome
    from mien.inference.video.summary import PersonSummary

MOST_ROWS = 30
"""Persons shown of each video: those seen longest."""

MOST_SHARES = 3
"""Expressions shown of each person: those that led for longest."""


def persons_table(outcomes: Sequence[VideoOutcome]) -> Table:
    """Return a table with a line per person, and one for a video without a face."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("Video", overflow="fold")
    for column in ("Frames", "Person", "From, to", "Seconds", "Episodes"):
        table.add_column(column, no_wrap=True, justify="right")
    table.add_column("Share of the time")
    for outcome in outcomes:
        first = [escape(outcome.path.name), f"{outcome.frames:,}"]
        persons = sorted(outcome.persons(), key=lambda person: -person.seconds)
        if not persons:
            note = "[dim]no face[/dim]" if outcome.frames else "[red]not readable[/red]"
            table.add_row(*first, note)
        for person in persons[:MOST_ROWS]:
            table.add_row(*first, *_cells(person))
            first = ["", ""]
        if len(persons) > MOST_ROWS:
            table.add_row("", "", f"[dim]… {len(persons) - MOST_ROWS} more[/dim]")
    return table


def _cells(person: PersonSummary) -> list[str]:
    ranked = sorted(person.shares.items(), key=lambda item: -item[1])
    shares = [f"{name} {share:.0%}" for name, share in ranked[:MOST_SHARES] if share >= 0.005]
    return [
        str(person.track),
        f"{person.first:.1f}–{person.last:.1f}",
        f"{person.seconds:.1f}",
        str(len(person.episodes)),
        ", ".join(shares),
    ]
