"""`mien data`: read datasets and write them as stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mien.apps.cli.console import notes, results
from mien.apps.cli.extras import need

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset

app = typer.Typer(help="Read datasets, count them, and keep them as Parquet.", no_args_is_help=True)

Source = Annotated[
    Path, typer.Argument(help="fer2013.csv, the .zip or .tar.gz that holds it, or a store.")
]
Votes = Annotated[
    Path | None, typer.Option("--votes", help="FER+'s fer2013new.csv, joined row by row.")
]


@app.command()
def show(source: Source, votes: Votes = None) -> None:
    """Show how many faces each split holds of each expression."""
    _print_counts(load(source, votes))


@app.command()
def convert(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="Folder of the new store.")],
    votes: Votes = None,
) -> None:
    """Write a dataset as a store: faces.parquet (pandas and Hugging Face read it) and a JSON."""
    need("parquet", "A dataset store")
    from mien.data.store import write_store

    dataset = load(source, votes)
    write_store(dataset, out, progress=True)
    _print_counts(dataset)
    notes.print(f"Wrote {out}")


def load(source: Path, votes: Path | None) -> FaceDataset:
    """Read a dataset with a bar, and join its votes.

    Raises:
        DataError: If either cannot be read.
    """
    from mien.data.readers import read_dataset
    from mien.data.votes import join_votes

    dataset = read_dataset(source, progress=True)
    return dataset if votes is None else join_votes(dataset, votes)


def _print_counts(dataset: FaceDataset) -> None:
    counts = dataset.counts()
    table = Table(title=f"{dataset.name}: {len(dataset):,} faces")
    table.add_column("Expression")
    for split in counts:
        table.add_column(split or "no split", justify="right")
    for expression in dataset.labels.expressions:
        table.add_row(expression, *(f"{column[expression]:,}" for column in counts.values()))
    table.add_section()
    table.add_row("all", *(f"{sum(column.values()):,}" for column in counts.values()))
    results.print(table)
    results.print(f"Fingerprint {dataset.fingerprint}")
