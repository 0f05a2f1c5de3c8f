"""The recipe that a command line names: shipped or a file, overridden, beginning with a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mien.errors import MienError

if TYPE_CHECKING:
    from mien.recipe import Recipe

FINE_TUNE = "fine-tune"
"""The recipe for --from alone."""

ADAPTED = ("network", "preprocess", "heads.0.labels", "data.dataset")
"""Keys and tables that `start.adapt` sets."""


def wanted_recipe(recipe: str | None, start: str | None, overrides: Sequence[str]) -> Recipe:
    """Return the recipe that a command names, with what is overridden and what it begins with.

    Raises:
        MienError: If none is named, it cannot be read, or an override is of what is not its own.
    """
    from mien.recipe import find_recipe, load_recipe

    if recipe is None and start is None:
        raise MienError("Name a recipe, or a model to begin with: mien train --from mien-base.")
    wanted = load_recipe(find_recipe(recipe or FINE_TUNE), overrides)
    if overrides:  # a changed recipe need not reach the figures of the original
        wanted = wanted.model_copy(update={"expected": ()})
    if start is not None:
        wanted = _begun(wanted, start, overrides)
    if adapts(wanted):
        check_kept(wanted, overrides, ADAPTED)
    return wanted


def _begun(recipe: Recipe, source: str, overrides: Sequence[str]) -> Recipe:
    """Return a recipe that begins with a model, without figures to expect."""
    from mien.recipe import StartPart

    for override in overrides:
        if _sets(override, ("start.source", "start.sha256")):
            raise MienError(f"--set {override}: --from names the model to begin with.")
    begin = StartPart(source=source, adapt=adapts(recipe))
    # What the recipe reaches from where it begins by itself, it need not reach from elsewhere.
    return recipe.model_copy(update={"start": begin, "expected": ()})


def adapts(recipe: Recipe) -> bool:
    """Say whether a recipe is made to fit model and data first."""
    return recipe.start is not None and recipe.start.adapt


def _sets(override: str, keys: Sequence[str]) -> bool:
    """Say whether an override sets one of some keys, a key in its table, or the table it is in."""
    given = override.partition("=")[0].strip()
    return any(f"{key}.".startswith(f"{given}.") or given.startswith(f"{key}.") for key in keys)


def check_kept(recipe: Recipe, overrides: Sequence[str], taken: Sequence[str]) -> None:
    """Check that nothing is overridden that a recipe takes from the model and the data.

    Args:
        recipe: One that adapts.
        overrides: As `--set` gives them.
        taken: The keys and tables that it takes.

    Raises:
        MienError: If something is.
    """
    for override in overrides:
        if _sets(override, taken):
            raise MienError(
                f"--set {override}: {recipe.name!r} takes this from the model and the data; a"
                " recipe without start.adapt keeps what is set."
            )


def check_adapted(recipe: Recipe) -> None:
    """Check that a recipe is not to be made to fit source and data first, as `mien train` does.

    Raises:
        MienError: If it is.
    """
    if adapts(recipe):
        raise MienError(
            f"{recipe.name!r} is made to fit the model and the data (start.adapt) by mien train"
            " alone: train it once, and give the recipe.toml that is then in the run's folder."
        )
