"""The two consoles of the command line: results on standard output, everything else beside it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

results = Console(highlight=False)
notes = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print a plain sentence beside the results; brackets in names are not taken for markup."""
    notes.print(Text(text), soft_wrap=True)


def complain(
    sentences: Sequence[str], most: int = 1, what: str = "Error: ", colour: str = "red"
) -> None:
    """Print what went wrong, at most so many sentences, and how many more there are."""
    for sentence in sentences[:most]:
        notes.print(Text.assemble((what, colour), sentence), soft_wrap=True)
    if len(sentences) > most:
        say(f"… and {len(sentences) - most} more.")
