"""`mien models`: what ships, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mien.apps.cli.console import results
from mien.card import ModelCard
from mien.inference.zoo import model_path, read_card, shipped_models


def models(
    name: Annotated[
        str, typer.Argument(help="Show one model, shipped or a file, with all its figures.")
    ] = "",
) -> None:
    """List the shipped models with size, classes, figures and provenance."""
    if name:
        _show(read_card(model_path(name)))
        return
    table = Table.grid(padding=(0, 2))
    for shipped in shipped_models():
        for left, right in _rows(read_card(model_path(shipped))):
            table.add_row(left, right)
    results.print(table)
    results.print("All figures and the recipe of one: mien models NAME")


def _rows(card: ModelCard) -> Iterable[tuple[Text, Text]]:
    accuracies = [f for f in card.figures if f.metric == "accuracy" and f.subset == "all"]
    size = f"{card.payload_bytes / 1e6:.1f} MB, {card.macs / 1e6:.0f} MMAC a face"
    made = f"mien {card.mien_version}, data {card.data_fingerprint[:12]}"
    yield Text(card.name, "bold"), Text(card.description)
    yield Text("cost", "dim"), Text(f"{size}, {card.parameters:,} weights")
    yield Text("classes", "dim"), Text(", ".join(card.heads[0].expressions))
    for figure in accuracies:
        what = f"accuracy {figure.within} on {figure.dataset} {figure.split}"
        yield Text(figure.head, "dim"), Text(f"{what}, {figure.images:,} images")
    yield Text("made with", "dim"), Text(made)
    yield Text(), Text()


def _show(card: ModelCard) -> None:
    results.print(Text.assemble((card.name, "bold"), f": {card.description}"))
    results.print(f"{card.parameters:,} weights, {card.macs / 1e6:.0f} MMAC a face")
    results.print(f"Payload SHA-256 {card.payload_sha256}")
    results.print(f"Data fingerprint {card.data_fingerprint}")
    table = Table(title="Figures with 95 % intervals")
    for column in ("Output", "Images", "Metric", "Value"):
        table.add_column(column)
    for figure in card.figures:
        images = f"{figure.dataset} {figure.split}, {figure.subset} ({figure.images:,})"
        table.add_row(figure.head, escape(images), figure.metric, escape(figure.within))
    results.print(table)
    for member in card.members:
        shares = ", ".join(f"{head} {share:.3f}" for head, share in member.weights.items())
        results.print(Text(f"Member {member.name}, weight in {shares}"))
    results.print("Recipe:", style="bold")
    for recipe in card.recipes:
        results.print(recipe, markup=False)
