"""`--also DATASET`: a model's figures on data that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.apps.cli.console import say
from mien.errors import DataError

if TYPE_CHECKING:
    from mien.card import ModelCard
    from mien.data.dataset import FaceDataset

Also = Annotated[
    list[Path] | None,
    typer.Option("--also", help="Judge it on this other dataset, too, for the card. Repeatable."),
]


def other_datasets(paths: Sequence[Path] | None, own: str) -> list[FaceDataset]:
    """Read other datasets than a model's own, before anything long is done.

    Args:
        paths: Where they are.
        own: Name of the dataset that the model learns from.

    Raises:
        DataError: If one cannot be read, or is the model's own.
    """
    from mien.apps.cli.data import load

    others = [(path, load(path, None)) for path in paths or ()]
    for path, other in others:
        if other.name in own.split("+"):
            raise DataError(
                f"--also {path}: the model learns from {own}; figures of data that it has never"
                " seen need another dataset."
            )
    return [other for _, other in others]


def judge_also(model: Path, card: ModelCard, others: Sequence[FaceDataset]) -> ModelCard:
    """Put a model's figures on other datasets into its card; return the card as it is then.

    Where what the model began with or learnt from may have seen them, that is said.
    """
    from mien.evaluation.card_figures import elsewhere_figures
    from mien.evaluation.model_predictions import file_predictions
    from mien.export.model_file import add_figures
    from mien.export.origin_section import seen_before
    from mien.inference.classifier import Classifier

    for other in others:
        tables = file_predictions(Classifier(model), other, every=True)
        card = add_figures(model, elsewhere_figures(tables))
        if any(other.name in one.datasets or not one.known for one in card.ancestors or ()):
            say(f"On {other.name}, {seen_before(card, other.name)}.")
    return card
