"""Which options have an effect under which choices: what changes nothing is not accepted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from typing import Any, NamedTuple

from mien.recipe.part import Part
from mien.recipe.parts import Recipe


class Need(NamedTuple):
    """What an option needs to have an effect.

    Attributes:
        chooser: The key that decides: a name; a list of tables, of which one has the name; or a
            table, in which an option of the name is used.
        names: Any of these.
    """

    chooser: str
    names: tuple[str, ...]


WARMED = Need("schedule.name", ("constant", "cosine"))
PLATEAU = Need("schedule.name", ("plateau",))
SGD = Need("optimiser.name", ("sgd",))
ADAM = Need("optimiser.name", ("adam", "adamw", "keras-adam"))
RMSPROP = Need("optimiser.name", ("rmsprop", "keras-rmsprop"))

NEEDS = {
    "heads.*.gamma": Need("heads.*.loss", ("focal",)),
    "augmentation.fill": Need("augmentation", ("rotation", "shift", "zoom", "shear")),
    "augmentation.no_face": Need("signals", ("not_a_face",)),
    "optimiser.nesterov": SGD,
    "optimiser.rho": RMSPROP,
    "optimiser.beta2": ADAM,
    "optimiser.epsilon": Need("optimiser.name", (*ADAM.names, *RMSPROP.names)),
    "schedule.warmup_epochs": WARMED,
    "schedule.factor": PLATEAU,
    "schedule.patience": PLATEAU,
    "schedule.min_delta": PLATEAU,
    "schedule.smallest": PLATEAU,
    "schedule.monitor": PLATEAU,
}
"""By key, "*" for the number of a head; an option that is not listed always has an effect."""


def needs_of(recipe: Recipe) -> dict[str, Need]:
    """Return what the options of a recipe need, by key, with its heads' numbers."""
    return {
        key.replace("*", str(number)): need._replace(chooser=need.chooser.replace("*", str(number)))
        for number in range(len(recipe.heads))
        for key, need in NEEDS.items()
    }


def lacks(recipe: Recipe, need: Need) -> str:
    """Return why an option has no effect in a recipe, as a sentence without it; "" if it has."""
    found = _found(_at(recipe, need.chooser.split(".")), need.names)
    if set(found) & set(need.names):
        return ""
    return (
        f"has an effect with {need.chooser} {' or '.join(need.names)} only."
        f" Got {', '.join(found) or 'none'} instead."
    )


def idle(recipe: Recipe) -> dict[str, str]:
    """Return why options that differ from their defaults have no effect, by key."""
    found = {key: lacks(recipe, need) for key, need in needs_of(recipe).items()}
    return {key: why for key, why in found.items() if why and _is_set(recipe, key)}


def without(recipe: Recipe, keys: Collection[str]) -> Recipe:
    """Return a recipe in which some keys have their defaults."""
    if not keys:
        return recipe
    content = recipe.model_dump(mode="json", exclude_none=True)
    for key in keys:
        *parents, last = key.split(".")
        del _at(content, parents)[last]
    return Recipe.model_validate(content)


def _is_set(recipe: Recipe, key: str) -> bool:
    *parents, last = key.split(".")
    return last in _set_in(_at(recipe, parents))


def _set_in(part: Part) -> list[str]:
    fields = type(part).model_fields
    return [name for name, field in fields.items() if getattr(part, name) != field.default]


def _found(value: Any, names: Sequence[str]) -> list[str]:
    if isinstance(value, Part):
        return [name for name in names if name in _set_in(value)]
    return [value] if isinstance(value, str) else [part.name for part in value]


def _at(value: Any, keys: Sequence[str]) -> Any:
    """Return what is at a path in a recipe or in its content."""
    return reduce(_inside, keys, value)


def _inside(value: Any, key: str) -> Any:
    if isinstance(value, (list, tuple)):
        return value[int(key)]
    return value[key] if isinstance(value, dict) else getattr(value, key)
