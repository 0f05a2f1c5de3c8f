"""What is said of the rows of a run that did not end."""

from __future__ import annotations

import sys
from pathlib import Path

from mien.apps.cli import exits
from mien.apps.cli.console import complain, say


def stop_if_kept(out: Path | None, error: Exception) -> None:
    """Say what went wrong and that nothing is lost, and end the program, if rows are kept.

    Args:
        out: The results file that was to be written; None for none.
        error: What went wrong.
    """
    from mien.inference.gathered import partial_path

    if out is None or not partial_path(out).is_file():
        return
    complain([_sentence(error)])
    say(kept("What was read is", partial_path(out)))
    sys.exit(exits.INCOMPLETE)


def kept(done: str, path: Path) -> str:
    """Return a sentence that begins with what is done, and says where it is kept."""
    return f"{done} kept in {path}. The same command with --resume continues."


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return str(error)
