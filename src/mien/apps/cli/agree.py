"""`mien agree`: how far people and programs that code the same pictures agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli.console import results, say
from mien.apps.cli.data import Names, class_names
from mien.apps.cli.extras import need
from mien.files import check_folder

if TYPE_CHECKING:
    from mien.evaluation.coders import Agreement


def agree(
    codings: Annotated[
        list[Path],
        typer.Argument(
            help="CSV files, one a coder, with a picture and what it shows in each row; readings of"
            " mien analyze are such files, too."
        ),
    ],
    picture: Annotated[
        str | None,
        typer.Option("--picture", help="Column of the picture; by default id, path or source."),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(
            "--category", help="Column of what it shows; by default label, answer or expression."
        ),
    ] = None,
    names: Names = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the page.")] = Path("agreement"),
) -> None:
    """Measure how far coders of the same pictures agree: people, programs, or both.

    Cohen's kappa of each two, Krippendorff's alpha of all, and which categories are the trouble,
    with intervals. disagreements.csv lists the pictures to talk about.
    """
    need("video", "Agreement")
    from mien.evaluation.coders import agreement
    from mien.evaluation.coders_page import write_agreement
    from mien.evaluation.codings import read_coding, together

    check_folder(out)
    known = class_names(names)
    found = agreement(
        together(
            [read_coding(path, picture=picture, category=category, names=known) for path in codings]
        )
    )
    page = write_agreement(found, out)
    _print(found)
    say(f"Open {page}")


def _print(found: Agreement) -> None:
    from mien.evaluation.coders_page import HEADER, cell, pair_cells

    table = Table(title="Agreement; 95 % intervals")
    for column in HEADER:
        table.add_column(column)
    for pair in found.pairs:
        table.add_row(*map(escape, pair_cells(pair)))
    results.print(table)
    results.print(escape(f"Krippendorff's alpha of all: {cell(found.alpha)}"))
