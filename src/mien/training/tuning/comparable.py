"""What all trials of a search must have in common, or their figures do not mean the same."""

from __future__ import annotations

from mien.errors import RecipeError
from mien.recipe import Recipe

OF_TRAINING = ("at_least", "drop_twins")
"""The keys of the data part that change training faces only; class weights come from those."""


def check_comparable(recipe: Recipe, changed: Recipe, where: str) -> None:
    """Check that a recipe with other values is judged as the recipe itself is.

    Args:
        recipe: What is searched.
        changed: The same with other values of some keys.
        where: The file and the key, for the error.

    Raises:
        RecipeError: If name, selection, the validated faces, what a head says, or, where the loss
            selects, what shapes it, differ; names the first.
    """
    wanted, found = _common(recipe), _common(changed)
    differing = next((what for what in wanted if wanted[what] != found[what]), None)
    if differing is not None:
        raise RecipeError(
            f"{where} cannot be searched: {differing} must be the same in all trials, or their"
            f" {recipe.training.select} could not be compared."
        )


def check_selection(recipe: Recipe) -> None:
    """Check that a recipe selects on other faces than its test's.

    Raises:
        RecipeError: If it does not.
    """
    if recipe.data.validate_on_test:
        raise RecipeError(
            "The recipe validates on its test faces, and tuning would choose values by them: add"
            " --set data.validate_on_test=false and a split with val, such as --set"
            " data.split=70:10:20."
        )


def _common(recipe: Recipe) -> dict[str, object]:
    training_only = {key: type(recipe.data).model_fields[key].default for key in OF_TRAINING}
    common: dict[str, object] = {
        "name": recipe.name,
        "training.select": recipe.training.select,
        "the faces they are validated on": recipe.data.model_copy(update=training_only),
        "what each head says": [(head.labels, head.target) for head in recipe.heads],
    }
    if recipe.training.select == "val_loss":
        common["the loss of heads and signals"] = (recipe.heads, recipe.signals)
        if any(head.class_weights == "balanced" for head in recipe.heads):
            common["the training faces, which the classes are weighted by,"] = recipe.data
    return common
