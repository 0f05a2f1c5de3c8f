"""`mien agree`: how far people and programs that code the same pictures agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli.console import results, say
from mien.apps.cli.data import Names, class_names
from mien.apps.cli.extras import need
from mien.errors import MienError
from mien.files import check_folder

if TYPE_CHECKING:
    from mien.evaluation.coders.agreement import Agreement
    from mien.evaluation.coders.stretches import TimedCoding
    from mien.labels import ClassNames


def agree(
    codings: Annotated[
        list[Path],
        typer.Argument(
            help="One a coder: CSV files with a picture and what it shows in each row, or with"
            " stretches or frames of videos; ELAN files, or folders of them. What mien analyze"
            " writes is such a file, too."
        ),
    ],
    picture: Annotated[
        str | None,
        typer.Option(
            "--picture",
            help="Column of the picture, or video, in tables that have it; by default id, path or"
            " source.",
        ),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(
            "--category",
            help="Column of what it shows, in tables that have it; by default label, answer or"
            " expression.",
        ),
    ] = None,
    tier: Annotated[
        str | None, typer.Option("--tier", help="ELAN's tier, if there are several.")
    ] = None,
    person: Annotated[
        list[str] | None,
        typer.Option(
            "--person",
            help="Whom to compare, as tables of videos name them in a column subject, person or"
            " track. Repeatable.",
        ),
    ] = None,
    step: Annotated[
        float | None, typer.Option("--step", help="Seconds of a step of videos; 0.1 if not said.")
    ] = None,
    rest: Annotated[
        str | None,
        typer.Option(
            "--rest", help="What coders of stretches say between them; neutral if not said."
        ),
    ] = None,
    names: Names = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the page.")] = Path("agreement"),
) -> None:
    """Measure how far coders of the same pictures or videos agree: people, programs, or both.

    Cohen's kappa of each two, Krippendorff's alpha of all, and which categories are the trouble,
    with intervals; of videos step by step, and how far apart onsets are. disagreements.csv lists
    what to talk about.
    """
    need("video", "Agreement", ("scipy",))
    from mien.evaluation.coders.page import write_agreement

    check_folder(out)
    columns = Columns(picture, category, tier, person or [], class_names(names))
    _check_named(codings, columns)
    found = _over_time(codings, columns, step, rest) or _of_pictures(codings, columns, step, rest)
    page = write_agreement(found, out)
    _print(found)
    _say_codes(found, columns.names)
    _say_alone(found)
    say(f"Open {page}")


class Columns(NamedTuple):
    """How codings are read."""

    picture: str | None
    category: str | None
    tier: str | None
    persons: list[str]
    names: ClassNames


def _check_named(paths: list[Path], columns: Columns) -> None:
    from mien.evaluation.coders.codings import check_named
    from mien.evaluation.coders.elan import is_elan

    tables = [path for path in paths if not is_elan(path)]
    check_named(tables, columns.picture, columns.category)


def _over_time(
    paths: list[Path], columns: Columns, step: float | None, rest: str | None
) -> Agreement | None:
    """Return the agreement of codings of videos; None if they are of pictures."""
    from mien.evaluation.coders.agreement import agreement_over_time
    from mien.evaluation.coders.codings import category_of, coder_names
    from mien.evaluation.coders.elan import is_elan
    from mien.evaluation.coders.steps import REST, STEP
    from mien.evaluation.coders.stretches import is_timed

    timed = [path for path in paths if is_elan(path) or is_timed(path)]
    if not timed:
        return None
    others = [path for path in paths if path not in timed]
    if others:
        raise MienError(
            f"{timed[0]} says when something is to be seen, and {others[0]} does not: it has no"
            " columns of a start and an end, nor of a frame and a time."
        )
    named = zip(paths, coder_names(paths))
    codings = [replace(_timed(path, columns), coder=coder) for path, coder in named]
    _say_doubtful(codings, columns.persons)
    seconds = STEP if step is None else step
    found = agreement_over_time(codings, seconds, category_of(rest or REST, columns.names))
    _say_between(found, [coding.coder for coding in codings if coding.episodes])
    return found


def _say_doubtful(codings: list[TimedCoding], persons: list[str]) -> None:
    """Say what may not be meant: several persons as one, and videos with other names as one."""
    from mien.evaluation.coders.steps import taken_for_one

    if persons and not any(coding.persons for coding in codings):
        say("No table names persons, so that --person leaves nothing out.")
    for coding in codings:
        if len(coding.persons) > 1:
            named = ", ".join(sorted(coding.persons)[:5])
            say(f"{coding.coder}: {len(coding.persons)} persons are taken for one ({named}).")
    names = taken_for_one(codings)
    if len(names) > 1:
        say(f"Taken for one video: {', '.join(sorted(names))}.")


def _say_between(found: Agreement, coders: list[str]) -> None:
    """Say how much of videos is not compared, as it lies between the episodes of these coders."""
    for coder in coders:
        videos = [video for video, said in found.coded.items() if said[coder]]
        seconds = sum(found.lengths[video] for video in videos)
        between = seconds - sum(found.coded[video][coder] for video in videos)
        if round(between, 3):
            say(
                f"{coder}: {between:.1f} of {seconds:.1f} s lie in no episode and are not compared,"
                " whether a face is there or not; rows.csv of mien analyze --out leaves only"
                " absence out."
            )


def _say_codes(found: Agreement, names: ClassNames) -> None:
    """Say which codes of two letters are not taken for the expressions that they may stand for."""
    from mien.evaluation.coders.codings import short_codes

    short = short_codes(found.codes.categories, names)
    if short:
        listed = ", ".join(short)
        say(f"Taken for codes, not for expressions: {listed}; --name {short[0]}=… says otherwise.")


def _say_alone(found: Agreement) -> None:
    """Say which pictures or videos are not compared, as one coder alone has them."""
    alone = found.codes.alone if found.steps is None else []
    if alone:
        count = f"{len(alone):,} of {len(found.codes.pictures):,} pictures"
        say(f"Coded by one coder alone, and not compared: {count}, {alone[0]} first.")
    for video, said in found.coded.items():
        coders = [coder for coder, seconds in said.items() if seconds]
        if len(coders) == 1:
            say(f"{video} is coded by {coders[0]} alone, and is not compared.")


def _timed(path: Path, columns: Columns) -> TimedCoding:
    from mien.evaluation.coders.elan import is_elan, read_elan
    from mien.evaluation.coders.stretches import read_stretches

    picture, category, tier, persons, names = columns
    if is_elan(path):
        return read_elan(path, tier, names)
    return read_stretches(path, video=picture, category=category, names=names, persons=persons)


def _of_pictures(
    paths: list[Path], columns: Columns, step: float | None, rest: str | None
) -> Agreement:
    from mien.evaluation.coders.agreement import agreement
    from mien.evaluation.coders.codings import coder_names, read_coding, together

    picture, category, tier, persons, names = columns
    if persons or (step, rest, tier) != (None, None, None):
        raise MienError(
            f"--tier, --person, --step and --rest are of videos, and {paths[0]} is of pictures."
        )
    read = [read_coding(path, picture=picture, category=category, names=names) for path in paths]
    named = zip(read, coder_names(paths))
    return agreement(together([replace(coding, coder=coder) for coding, coder in named]))


def _print(found: Agreement) -> None:
    from mien.evaluation.coders.page import cell, header, pair_cells

    table = Table(title="Agreement; 95 % intervals")
    for column in header(found):
        table.add_column(column)
    for pair in found.pairs:
        table.add_row(*map(escape, pair_cells(pair)))
    results.print(table)
    results.print(escape(f"Krippendorff's alpha of all: {cell(found.alpha)}"))
