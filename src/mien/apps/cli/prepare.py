"""`mien data prepare`: from raw photographs to a store of faces."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli import exits
from mien.apps.cli.console import complain, results, say
from mien.apps.cli.data import (
    MOST_SKIPPED,
    As,
    Layout,
    Names,
    Out,
    Overwrite,
    check_out,
    class_names,
    write,
)
from mien.apps.cli.kept import kept
from mien.apps.cli.options import DetectorWeights
from mien.errors import MienError
from mien.files import check_folder

if TYPE_CHECKING:
    from mien.data.prepare.outcome import Outcome
    from mien.data.prepare.outcomes import Outcomes
    from mien.data.prepare.run import RawDataset
    from mien.data.prepare.settings import Preparation


def prepare(
    source: Annotated[
        Path, typer.Argument(help="Photographs: IMED, CK+, a folder per class, a zip, or a list.")
    ],
    out: Out,
    layout: Layout = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            help="How paths tell what, if no layout fits: '{subject}/{emotion}/*',"
            " '{subject}_{emotion}_*', '{split}/*/{emotion}/*'.",
        ),
    ] = None,
    names: Names = None,
    name: As = None,
    detector: Annotated[
        str,
        typer.Option("--detector", help="haar, yunet, or none if the pictures are faces already."),
    ] = "haar",
    detector_weights: DetectorWeights = None,
    size: Annotated[int, typer.Option("--size", help="Side of the faces in pixels, 8-512.")] = 48,
    illumination: Annotated[
        str, typer.Option("--illumination", help="none, equalise, clahe or gamma.")
    ] = "none",
    gamma: Annotated[
        float | None,
        typer.Option("--gamma", help="With --illumination gamma: below 1 brightens (.7)."),
    ] = None,
    level_eyes: Annotated[
        bool, typer.Option("--level-eyes", help="Rotate faces so that the eyes are level.")
    ] = False,
    keep_frame: Annotated[
        bool, typer.Option("--keep-frame", help="Do not cut off black frames.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes; one per CPU by default.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run that had the same --out.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Folder for the report; beside --out by default."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Cut the faces out of photographs, and write them as a store.

    A black frame is cut off, the largest face is found, and cut with the margin that FER2013's
    faces have. Leaves a page (prepare.html) and a table (pictures.csv) of what became of each
    picture, above all of those without a face. Exit code: 0 all read, 1 some files could not be
    read, 2 nothing could be done.
    """
    if resume and _is_whole(out):
        say(f"{out} is whole: there is nothing to resume.")
        return
    check_out(out, overwrite)
    result = _Result(out, report or out.with_name(f"{out.name}-report"), name)
    _check_report(result)
    if gamma is not None and illumination != "gamma":
        raise MienError("--gamma needs --illumination gamma.")
    from mien.data.prepare.run import list_pictures
    from mien.data.prepare.settings import Preparation

    given = {} if gamma is None else {"gamma": gamma}
    settings = Preparation(
        detector=detector,
        detector_weights=str(detector_weights or ""),
        size=size,
        illumination=illumination,
        level_eyes=level_eyes,
        cut_frame=not keep_frame,
        **given,
    )
    settings.check()
    raw = list_pictures(source, layout, class_names(names), pattern)
    if _prepare_all(raw, settings, result, jobs, resume):
        sys.exit(exits.INCOMPLETE)


class _Result(NamedTuple):
    """Where the store and the report go, and the dataset's name; None for its layout's."""

    out: Path
    report: Path
    name: str | None


def _is_whole(out: Path) -> bool:
    from mien.data.store import is_store
    from mien.inference.gathered import partial_path

    # The working folder, ".", has no name beside which a journal could stand.
    return bool(out.name) and is_store(out) and not partial_path(out).exists()


def _check_report(result: _Result) -> None:
    """Refuse a report that the store, which is written whole, would replace."""
    check_folder(result.report)
    if result.report.resolve().is_relative_to(result.out.resolve()):
        raise MienError(
            f"--report must be a folder outside of --out, {result.out}, which is written whole. Got"
            f" {result.report} instead."
        )


def _prepare_all(
    raw: RawDataset, settings: Preparation, result: _Result, jobs: int | None, resume: bool
) -> int:
    """Prepare and write; return how many pictures could not be read."""
    from mien.data.prepare.run import prepare as prepare_pictures
    from mien.inference.gathered import partial_path
    from mien.processes import usable_cpus

    try:
        with prepare_pictures(
            raw, settings, result.out, jobs=jobs or usable_cpus(), resume=resume, progress=True
        ) as outcomes:
            return _write(raw, outcomes, settings, result)
    except KeyboardInterrupt:
        say("Interrupted.")
        partial = partial_path(result.out)
        if partial.exists():
            say(kept("What is done is", partial))
        sys.exit(exits.INTERRUPTED)


def _write(raw: RawDataset, outcomes: Outcomes, settings: Preparation, result: _Result) -> int:
    from mien.data.prepare.report import PAGE, write_report
    from mien.data.prepare.run import prepared_dataset

    write_report(raw, outcomes, settings, result.report)
    unreadable = [outcome.note for outcome in outcomes if outcome.status == "unreadable"]
    complain(unreadable, MOST_SKIPPED, "Left out: ", "yellow")
    _print_counts(raw, outcomes)
    say(f"Look at {result.report / PAGE}; a table of all pictures is beside it.")
    write(prepared_dataset(raw, outcomes, settings), result.out, result.name)
    return len(unreadable)


def _print_counts(raw: RawDataset, outcomes: Sequence[Outcome]) -> None:
    from mien.data.prepare.report import counts_table
    from mien.inference.journal import printable

    (first, *columns), rows = counts_table(raw, outcomes)
    table = Table(title=f"Preparation of {escape(printable(raw.path.resolve().name))}")
    table.add_column(first.capitalize())
    for name in columns:
        table.add_column(name, justify="right")
    for number, (expression, *counts) in enumerate(rows, start=1):
        last_class = number == len(rows) - 1
        table.add_row(str(expression), *(f"{n:,}" for n in counts), end_section=last_class)
    results.print(table)
