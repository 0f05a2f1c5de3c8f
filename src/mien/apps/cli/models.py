"""`mien models`: what ships, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table

from mien.apps.cli.console import results
from mien.card import Figure, ModelCard
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
    table = Table(title="Shipped models", caption="One model in full: mien models NAME")
    for column in ("Model", "Size", "Cost a face", "Expressions", "Test accuracy", "Trained on"):
        table.add_column(column)
    for shipped in shipped_models():
        table.add_row(*_row(read_card(model_path(shipped))))
    results.print(table)


def _row(card: ModelCard) -> Iterable[str]:
    accuracies = [f for f in card.figures if f.metric == "accuracy" and f.subset == "all"]
    yield card.name
    yield f"{card.payload_bytes / 1e6:.1f} MB"
    yield f"{card.macs / 1e6:.0f} MMAC"
    yield "\n".join(card.heads[0].expressions)
    yield "\n".join(f"{f.head}: {_value(f)}" for f in accuracies)
    yield f"{card.description}\ndata {card.data_fingerprint[:12]}\nmien {card.mien_version}"


def _show(card: ModelCard) -> None:
    results.print(f"[bold]{card.name}[/bold]: {card.description}")
    results.print(f"{card.parameters:,} weights, {card.macs / 1e6:.0f} MMAC a face")
    results.print(f"Payload SHA-256 {card.payload_sha256}")
    results.print(f"Data fingerprint {card.data_fingerprint}")
    table = Table(title="Test figures with 95 % intervals")
    for column in ("Output", "Images", "Metric", "Value"):
        table.add_column(column)
    for figure in card.figures:
        images = f"{figure.dataset} {figure.split}, {figure.subset} ({figure.images:,})"
        table.add_row(figure.head, images, figure.metric, _value(figure))
    results.print(table)
    results.print("Recipe:", style="bold")
    results.print(card.recipe, markup=False)


def _value(figure: Figure) -> str:
    return f"{figure.value:.3f} \\[{figure.low:.3f}, {figure.high:.3f}]"
