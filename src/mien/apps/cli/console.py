"""The two consoles of the command line: results on standard output, everything else beside it."""

from __future__ import annotations

from rich.console import Console

results = Console(highlight=False)
notes = Console(stderr=True, highlight=False)
