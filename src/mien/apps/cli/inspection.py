"""`mien data explore`, `audit` and `clean`: look at a dataset, find what is wrong, leave it out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli.console import results, say
from mien.apps.cli.data import (
    Layout,
    Names,
    Out,
    Overwrite,
    Source,
    Votes,
    check_out,
    load,
    write,
)


def explore(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="Folder for the report.")] = Path("explore"),
    votes: Votes = None,
    layout: Layout = None,
    names: Names = None,
) -> None:
    """Look at a dataset: counts, samples, mean faces, light, components, a baseline.

    Leaves a page (explore.html, opens without a network), its pictures as PNG and its tables as
    CSV.
    """
    from mien.data.explore.report import PAGE
    from mien.data.explore.report import explore as look

    dataset = load(source, votes, layout, names)
    say("Drawing …")
    look(dataset, out)
    say(f"Look at {out / PAGE}; pictures and tables are beside it.")


def audit(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="Folder for the report.")] = Path("audit"),
    votes: Votes = None,
    layout: Layout = None,
    names: Names = None,
    checks: Annotated[
        list[str] | None,
        typer.Option("--check", help="Only this check; all by default. Repeatable."),
    ] = None,
) -> None:
    """Look for copies, near-copies, leaks between splits and images that do not conform.

    Leaves a page to look at (audit.html, opens without a network) and a table of every finding
    (findings.csv), which `mien data clean` can apply.
    """
    from mien.data.audit import audit as run_audit
    from mien.data.audit.report import PAGE, TABLE, write_report

    dataset = load(source, votes, layout, names)
    found = run_audit(dataset, checks, progress=True)
    write_report(dataset, found, out)
    table = Table(title=f"Audit of {escape(dataset.name)}: {len(dataset):,} faces")
    table.add_column("Check")
    table.add_column("Found")
    table.add_column("Count", justify="right")
    for result in found:
        for number, (what, count) in enumerate(result.counts.items()):
            table.add_row(result.check if number == 0 else "", what, f"{count:,}")
        table.add_section()
    results.print(table)
    say(f"Look at {out / PAGE}; all findings are in {out / TABLE}")


def clean(
    source: Source,
    findings: Annotated[
        Path, typer.Option("--findings", help="The findings.csv of this dataset's audit.")
    ],
    drop: Annotated[
        list[str],
        typer.Option("--drop", help="Leave out what this check marked for dropping. Repeatable."),
    ],
    out: Out,
    votes: Votes = None,
    layout: Layout = None,
    names: Names = None,
    overwrite: Overwrite = False,
) -> None:
    """Leave out what an audit found, and write the rest as a store that remembers why.

    Edit the column "drop" of findings.csv first, if you want to keep or drop single images.
    """
    check_out(out, overwrite)
    from mien.data.audit.report import read_findings
    from mien.data.clean import clean as leave_out

    rows = read_findings(findings)
    write(leave_out(load(source, votes, layout, names), rows, drop), out)
