"""What a user should know of the faces before hours are spent on them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mien.apps.cli.console import say
from mien.errors import RecipeError

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.recipe import Recipe


def say_before(recipe: Recipe, dataset: FaceDataset) -> None:
    """Say how faces were prepared, which are left out, and what they do not teach."""
    _say_done_before(dataset)
    _say_left_out(dataset)
    _say_gaps(recipe, dataset)
    _say_warm_up(recipe)


def _say_done_before(dataset: FaceDataset) -> None:
    from mien.data.prepare.settings import done_before

    steps = done_before(dataset.history)
    if steps:
        say(
            f"These faces were prepared with {' and '.join(steps)}: photos given to the exported"
            " model will not be treated so, and it may judge them worse than these figures say."
        )


def _say_left_out(dataset: FaceDataset) -> None:
    bare = int((dataset.splits == "").sum())
    if bare:
        say(f"{bare:,} of {len(dataset):,} faces have no split: they are left out.")


def _say_gaps(recipe: Recipe, dataset: FaceDataset) -> None:
    from mien.training.faces import gap_sentences

    with suppress(RecipeError):  # of faces that cannot be trained on the training itself says why
        for sentence in gap_sentences(recipe, dataset):
            say(sentence)


def _say_warm_up(recipe: Recipe) -> None:
    warmup, epochs = recipe.schedule.warmup_epochs, recipe.training.epochs
    if warmup >= epochs:
        say(
            f"schedule.warmup_epochs is {warmup:g}, so that the learning rate rises through all"
            f" {epochs:,} epochs."
        )
