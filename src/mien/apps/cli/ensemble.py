"""`mien ensemble`: several finished networks as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli.also import Also, judge_also, other_datasets
from mien.apps.cli.console import results
from mien.apps.cli.data import Votes
from mien.apps.cli.export import Card, ClassNames, Tta, check_files, say_written
from mien.apps.cli.extras import need
from mien.apps.cli.train import Data, assembled

if TYPE_CHECKING:
    from mien.card import Averaging
    from mien.evaluation.average.ensemble import Ensemble
    from mien.evaluation.average.tables import Weighting
    from mien.evaluation.report import HeadReport

METRICS = ("accuracy", "nll", "ece")


def ensemble(
    members: Annotated[
        list[str],
        typer.Argument(help="Runs' folders, ONNX files or shipped models; two or more."),
    ],
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="The ONNX file to write.")],
    votes: Votes = None,
    names: ClassNames = None,
    average: Annotated[
        str, typer.Option("--average", help="What is averaged: probabilities or logits.")
    ] = "probabilities",
    weights: Annotated[
        str, typer.Option("--weights", help="equal, or fit for the best on validation.")
    ] = "equal",
    tta: Tta = "none",
    card: Card = None,
    name: Annotated[str, typer.Option(help="The ensemble's name; the file's by default.")] = "",
    description: Annotated[str, typer.Option(help="One sentence for the card.")] = "",
    licence: Annotated[str, typer.Option(help="The licence of your weights.")] = "",
    also: Also = None,
) -> None:
    """Average finished networks, measure the average, and export it as one ONNX file.

    The members were trained on the same data and splits, by any recipes. Weights and temperatures
    are fitted on validation; test is measured once, for each member and for the ensemble.
    """
    need("train", "An ensemble")
    from mien.evaluation.average.ensemble import build_ensemble, check_members
    from mien.evaluation.average.views import known_views
    from mien.export.export import export_ensemble
    from mien.training.source import open_source

    check_files(out, card)
    views = known_views(tta)
    averaging, weighting = cast("Averaging", average), cast("Weighting", weights)
    sources = [open_source(member) for member in members]
    check_members(sources, averaging, weighting)
    dataset = assembled(sources[0].recipe, data, votes, names)
    others = other_datasets(also, dataset.name)
    made = build_ensemble(sources, dataset, averaging, weighting, views)
    _print(made)
    written = export_ensemble(made, out, name=name, description=description, licence=licence)
    say_written(judge_also(out, written, others), out, card)


def _print(ensemble: Ensemble) -> None:
    table = Table(title="Members and ensemble, with 95 % bootstrap intervals")
    for column in ("Output", "Images", "Network", "Weight", *METRICS):
        table.add_column(column)
    for number, report in enumerate(ensemble.reports):
        head = report.head.name
        rows = [
            (member.source.name, f"{member.shares[head]:.3f}", member.reports[number])
            for member in ensemble.given
        ]
        for row in _rows([*rows, ("ensemble", "", report)]):
            table.add_row(*map(escape, row))
        table.add_section()
    results.print(table)


def _rows(reports: Sequence[tuple[str, str, HeadReport]]) -> Iterator[tuple[str, ...]]:
    subsets = dict.fromkeys(figure.subset for figure in reports[0][2].figures)
    for subset in subsets:
        for name, share, report in reports:
            figures = {f.metric: f for f in report.figures if f.subset == subset}
            if METRICS[0] not in figures:
                continue
            first = figures[METRICS[0]]
            images = f"{first.split}, {subset} ({first.images:,})"
            values = (figures[metric].within for metric in METRICS)
            yield (report.head.name, images, name, share, *values)
