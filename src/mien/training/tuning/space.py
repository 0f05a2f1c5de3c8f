"""A search space: which keys of a recipe are searched, and over which values."""

from __future__ import annotations

import inspect
import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mien.errors import RecipeError, unknown_name
from mien.models import NETWORKS
from mien.recipe import Recipe
from mien.recipe.checks import check_meant
from mien.recipe.effect import idle, lacks, needs_of, without
from mien.recipe.load import fitting_recipe, table_of
from mien.training.tuning.comparable import OF_TRAINING, check_comparable
from mien.training.tuning.dimension import Choices, Dimension, Interval

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Space = dict[str, Dimension]
"""What is searched, by the recipe's key."""

OPTIONS = "network.options."

FIXED = ("name", "source", "skip", "expected", "training.select")

MOST_IN_GRID = 100_000

FIELDS = ("choices", "low", "high", "log", "step")


def read_space(path: Path, recipe: Recipe) -> Space:
    """Read a search space, one TOML table for each key, and check it against a recipe.

    Raises:
        RecipeError: If it cannot be read, or a key or a value does not fit the recipe; names it.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(f"{path} cannot be opened: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not TOML: {error}.") from error
    space = {key: _dimension(table, f"{path}: {key}") for key, table in _tables("", content)}
    if not space:
        raise RecipeError(f'{path} names no key to search, such as ["optimiser.learning_rate"].')
    check_space(space, recipe, str(path))
    return space


def _tables(prefix: str, content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give keys and their tables, whether a key's dots are quoted or not."""
    for name, value in content.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
            yield from _tables(f"{key}.", value)
        else:
            yield key, value


def _dimension(table: Any, where: str) -> Dimension:
    if not isinstance(table, dict) or not ("choices" in table or {"low", "high"} <= set(table)):
        raise RecipeError(f"{where}: wanted a table with choices, or with low and high.")
    unknown = next((name for name in table if name not in FIELDS), None)
    if unknown is not None:
        raise RecipeError(f"{where}: {unknown_name('key', unknown, FIELDS)}")
    try:
        return (Choices if "choices" in table else Interval).model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        field = "".join(f"{part}: " for part in first["loc"][:1])
        what = first["msg"].removeprefix("Value error, ")
        raise RecipeError(f"{where}: {field}{what}. Got {table} instead.") from error


def check_space(space: Space, recipe: Recipe, where: str) -> None:
    """Check that a recipe has the keys and may have the values.

    Values that only do not go together with others are left to the trials.

    Raises:
        RecipeError: For the first key or value that does not fit, or would change what the figures
            of trials mean.
    """
    first = {key: dimension.ends()[0] for key, dimension in space.items()}
    for key, dimension in space.items():
        _check_key(key, recipe, space, where)
        _check_effect(key, recipe, space, where)
        for value in dimension.ends():
            try:
                changed = with_values(recipe, {key: value}, where)
            except RecipeError:
                changed = with_values(recipe, {**first, key: value}, where)
            check_comparable(recipe, changed, f"{where}: {key}")


def _check_key(key: str, recipe: Recipe, space: Space, where: str) -> None:
    if key in FIXED:
        raise RecipeError(f"{where}: {key} cannot be searched: trials must differ in what they do.")
    table, _, last = key.partition(".")
    if table == "data" and last not in OF_TRAINING:
        allowed = " and ".join(f"data.{name}" for name in OF_TRAINING)
        raise RecipeError(
            f"{where}: {key} cannot be searched: all trials must be validated on the same faces;"
            f" of the data part, {allowed} can."
        )
    option = key.removeprefix(OPTIONS)
    if option != key and "network.name" not in space:
        network = recipe.network.name
        known = [p for p in inspect.signature(NETWORKS[network]).parameters if p != "heads"]
        if option not in known:
            kind = f"option of network {network!r}"
            raise RecipeError(f"{where}: {key}: {unknown_name(kind, option, known)}")


def _check_effect(key: str, recipe: Recipe, space: Space, where: str) -> None:
    """Check that an option has an effect in some trial."""
    need = needs_of(recipe).get(key)
    if need is None or not (why := lacks(recipe, need)):
        return
    if all(lacks(changed, need) for changed in _chosen(need.chooser, recipe, space, where)):
        raise RecipeError(f"{where}: {key} cannot be searched: it {why}")


def _chosen(chooser: str, recipe: Recipe, space: Space, where: str) -> Iterator[Recipe]:
    """Give the recipe with each value that is searched of what decides about an option."""
    for key, dimension in space.items():
        if f"{key}.".startswith(f"{chooser}.") or f"{chooser}.".startswith(f"{key}."):
            for value in dimension.ends():
                with suppress(RecipeError):  # values that do not fit are told of elsewhere
                    yield with_values(recipe, {key: value}, where)


def with_values(recipe: Recipe, values: Mapping[str, Any], where: str) -> Recipe:
    """Return the recipe with other values of some keys, and without expected figures.

    What has no effect beside these values, as the patience of a plateau in a trial without one, has
    its default; but a table that is given whole must make sense.

    Args:
        recipe: The recipe.
        values: By key; `heads.0.smoothing` is the first head's.
        where: Named in errors.

    Raises:
        RecipeError: If a key or value does not fit.
    """
    content = recipe.model_dump(mode="json", exclude_none=True) | {"expected": []}
    for key in sorted(values, key=lambda key: key.count(".")):  # tables before what is in them
        _set(content, key, values[key], where)
    made = fitting_recipe(content, where)
    made = without(made, [key for key in idle(made) if not _is_in(key, values)])
    check_meant(made, where)
    return made


def _is_in(key: str, tables: Iterable[str]) -> bool:
    return any(key.startswith(f"{table}.") for table in tables)


def _set(content: dict[str, Any], key: str, value: Any, where: str) -> None:
    *parents, last = key.split(".")
    table = table_of(content, parents)
    if table is None:
        raise RecipeError(f"{where}: the recipe has no table for {key!r}.")
    table[last] = value


def grid_of(space: Space, where: str) -> list[dict[str, Any]]:
    """Return all combinations of values, in the order of the keys; the last changes fastest.

    Raises:
        RecipeError: If some values cannot be counted, or there are too many combinations.
    """
    size = math.prod(_size(dimension, f"{where}: {key}") for key, dimension in space.items())
    if size > MOST_IN_GRID:
        raise RecipeError(f"{where}: a grid may have {MOST_IN_GRID:,} combinations, not {size:,}.")
    columns = [dimension.grid() for dimension in space.values()]
    return [dict(zip(space, values)) for values in itertools.product(*columns)]


def _size(dimension: Dimension, where: str) -> int:
    try:
        return dimension.size()
    except RecipeError as error:
        raise RecipeError(f"{where}: {error}.") from error
