"""What `mien analyze` is asked to write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Written:
    """What is written of photos or videos.

    Args:
        out: The results file; None for none.
        form: Its format; without `out`, that of what is printed, None for a table.
        annotated: The folder of the marked copies; None for none.
        resume: Whether to carry on an interrupted run.
    """

    out: Path | None
    form: str | None
    annotated: Path | None
    resume: bool
