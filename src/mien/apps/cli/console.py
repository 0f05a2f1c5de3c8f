"""The two consoles of the command line: results on standard output, everything else beside it."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

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


def print_file(path: Path) -> None:
    """Print a text in UTF-8 as it stands in its file, where names may hold carriage returns."""
    with path.open(encoding="utf-8", newline="") as content:
        shutil.copyfileobj(content, sys.stdout)


def write_anything() -> None:
    r"""Let both streams take any letter, whatever encoding the system has.

    What goes into a file or another program is UTF-8, as results in files are, unless the user
    says otherwise; a terminal shows what its own encoding lacks as \u….
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):  # somebody else's, as under a test
            continue
        own = stream.isatty() or "PYTHONIOENCODING" in os.environ
        stream.reconfigure(encoding=None if own else "utf-8", errors="backslashreplace")
