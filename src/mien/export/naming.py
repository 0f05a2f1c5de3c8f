"""What an exported model may be called: not as one that ships with mien and is another."""

from __future__ import annotations

from collections.abc import Iterable

from mien.card import read_recipes
from mien.errors import MienError
from mien.inference.zoo import model_path, read_card, shipped_models


def check_name(name: str, recipes: Iterable[str]) -> None:
    """Check that no model that ships with mien has a name, or that it is made again.

    Args:
        name: What a model is to be called.
        recipes: By which its networks were trained, as TOML.

    Raises:
        MienError: If one has it that was trained by other recipes.
    """
    if name not in shipped_models():
        return
    wanted = _names(read_card(model_path(name)).recipes)
    if _names(recipes) != wanted:
        raise MienError(
            f"{name!r} is a model that ships with mien, trained by {' and '.join(sorted(wanted))}:"
            " give this one another --name."
        )


def _names(recipes: Iterable[str]) -> set[str]:
    return {str(recipe.get("name", "")) for recipe in read_recipes(recipes)}
