"""`mien data explore`, `audit` and `clean`: look at a dataset, find what is wrong, leave it out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    load_with_errors,
    write,
)
from mien.apps.cli.options import DetectorWeights, Model
from mien.errors import MienError
from mien.files import check_folder

if TYPE_CHECKING:
    from mien.data.audit import Result
    from mien.data.audit.evidence import Evidence
    from mien.data.dataset import FaceDataset


def explore(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="Folder for the report.")] = Path("explore"),
    votes: Votes = None,
    layout: Layout = None,
    names: Names = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Project this model's features instead of the pixels."),
    ] = None,
) -> None:
    """Look at a dataset: counts, samples, mean faces, light, components, a baseline.

    Leaves a page (explore.html, opens without a network), its pictures as PNG and its tables as
    CSV.
    """
    from mien.data.explore.report import PAGE
    from mien.data.explore.report import explore as look

    check_folder(out)
    classifier = None
    if model is not None:
        from mien.inference.classifier import Classifier

        classifier = Classifier(model)
    dataset = load(source, votes, layout, names)
    say("Drawing …")
    look(dataset, out, classifier)
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
    probabilities: Annotated[
        Path | None,
        typer.Option(
            "--probabilities",
            help="CSV or Parquet with a column id and one p_EXPRESSION for each expression, by"
            " models that did not learn from the face. By default a small model makes them.",
        ),
    ] = None,
    weights: DetectorWeights = None,
    model: Model = "mien-base",
) -> None:
    """Look for copies, leaks, damaged and covered images, images of no face, and wrong labels.

    Leaves a page to look at (audit.html, opens without a network) and a table of every finding
    (findings.csv), which `mien data clean` can apply. Where there are no --votes, detectors and
    --model say what is no face.
    """
    from mien.data.audit import CHECKS
    from mien.data.audit import audit as run_audit
    from mien.data.audit.report import PAGE, TABLE, check_unedited, write_report
    from mien.inference.zoo import model_path

    check_folder(out)
    check_unedited(out)
    for name in checks or ():
        CHECKS[name]  # an unknown name is said before anything is read
    model_path(model)
    dataset, skipped = load_with_errors(source, votes, layout, names)
    evidence = _evidence(dataset, skipped, probabilities, weights, model)
    found = run_audit(dataset, checks, evidence, progress=True)
    write_report(dataset, found, out)
    _print_counts(f"Audit of {dataset.name}: {len(dataset):,} faces", found)
    say(f"Look at {out / PAGE}; all findings are in {out / TABLE}")


def _evidence(
    dataset: FaceDataset,
    skipped: Sequence[MienError],
    probabilities: Path | None,
    weights: Path | None,
    model: str,
) -> Evidence:
    from mien.data.audit.evidence import Evidence, detectors_at_hand
    from mien.data.audit.probabilities import read_probabilities
    from mien.inference.classifier import Classifier

    return Evidence(
        unreadable=tuple(map(str, skipped)),
        detectors=detectors_at_hand(weights),
        classifier=Classifier(model),
        probabilities=read_probabilities(probabilities, dataset) if probabilities else None,
    )


def _print_counts(title: str, found: Sequence[Result]) -> None:
    table = Table("Check", "Found", title=escape(title))
    table.add_column("Count", justify="right")
    for result in found:
        if result.missing:
            table.add_row(result.check, f"did not run: {escape(result.missing)}", "")
        for number, (what, count) in enumerate(result.counts.items()):
            table.add_row(result.check if number == 0 else "", what, f"{count:,}")
        table.add_section()
    results.print(table)


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
    split: Annotated[
        list[str] | None,
        typer.Option(
            "--split", help="Only of this split: train leaves val and test as they are. Repeatable."
        ),
    ] = None,
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
    write(leave_out(load(source, votes, layout, names), rows, drop, split or ()), out)
