"""Options of commands that read videos or a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PANEL = "For videos"

Every = Annotated[
    int | None,
    typer.Option("--every", help="Read every n-th frame.", rich_help_panel=PANEL),
]
Fps = Annotated[
    float | None,
    typer.Option("--fps", help="Read at most so many frames a second.", rich_help_panel=PANEL),
]
Start = Annotated[
    float | None,
    typer.Option("--start", help="Read from this second on.", rich_help_panel=PANEL),
]
End = Annotated[
    float | None, typer.Option("--end", help="Read up to this second.", rich_help_panel=PANEL)
]
DetectEvery = Annotated[
    int | None,
    typer.Option(
        "--detect-every",
        help="Look for faces in every n-th frame read; follow them between.",
        rich_help_panel=PANEL,
    ),
]
Thorough = Annotated[
    float | None,
    typer.Option(
        "--thorough",
        help="Seconds between searches at full size; 0 for always. Usually 1.",
        rich_help_panel=PANEL,
    ),
]
Uncertain = Annotated[
    float | None,
    typer.Option(
        "--uncertain",
        help="Mark readings below this probability as uncertain. Usually the model decides.",
        rich_help_panel=PANEL,
    ),
]
Smooth = Annotated[
    float | None,
    typer.Option(
        "--smooth",
        help="Add columns smoothed over so many seconds; the summary uses them.",
        rich_help_panel=PANEL,
    ),
]
Baseline = Annotated[
    bool,
    typer.Option(
        "--baseline",
        help="Add columns that say how far a person is from their own rest.",
        rich_help_panel=PANEL,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        help="Write a page, plots and a summary of each person into this folder.",
        rich_help_panel=PANEL,
    ),
]
