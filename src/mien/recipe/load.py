"""Finding, reading and checking recipes: every error names the file and the key."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mien.errors import RecipeError, unknown_name
from mien.recipe.checks import check_expected, check_meant, check_outputs
from mien.recipe.effect import idle, without
from mien.recipe.parts import Recipe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def shipped_recipes() -> dict[str, Path]:
    """Return the recipes that come with the package, by name."""
    folder = Path(str(resources.files("mien") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_recipe(name: str) -> Path:
    """Return the path of a recipe given as a file, or by the name of a shipped one.

    `recipes/NAME.toml` means the shipped one too; another path is a file's alone, or a mistyped one
    would train another experiment.

    Raises:
        RecipeError: If there is no such file and no shipped recipe of that name.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_recipes()
    known = shipped | {f"recipes/{stem}.toml": found for stem, found in shipped.items()}
    if name in known:
        return known[name]
    raise RecipeError(unknown_name("recipe", name, shipped))


def find_space(path: Path) -> Path:
    """Return the path of a search space given as a file, or by the name of a shipped one.

    What is neither comes back as it is, for its reader to complain of.
    """
    folder = Path(str(resources.files("mien") / "recipes" / "spaces"))
    shipped = folder / f"{path.name}.toml"
    named = path == Path(path.name)
    return shipped if named and not path.is_file() and shipped.is_file() else path


def recipe_text(path: Path) -> str:
    """Return what a recipe's file says.

    Raises:
        RecipeError: If it cannot be opened, or is not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors mark UTF-8 at its beginning
    except OSError as error:
        raise RecipeError(f"{path} cannot be opened: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path} is not TOML: {error}.") from error


def load_recipe(path: Path, overrides: Iterable[str] = (), *, kept: bool = False) -> Recipe:
    """Read a recipe and apply overrides such as `training.epochs=5`.

    Args:
        path: Its file.
        overrides: Of its keys.
        kept: As `parse_recipe` has it.

    Raises:
        RecipeError: If the file is not TOML, or a key or value does not fit; names the key and the
            nearest valid one.
    """
    try:
        content = tomllib.loads(recipe_text(path))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path} is not TOML: {error}.") from error
    changed = [_override(content, override) for override in overrides]
    return parse_recipe(content, str(path), kept=kept, changed=changed)


def parse_recipe(
    content: Mapping[str, Any], where: str, *, kept: bool = False, changed: Sequence[str] = ()
) -> Recipe:
    """Check a recipe's content.

    Args:
        content: Its tables.
        where: Names its file in errors.
        kept: Whether it was trained by: what has no effect is then left out, and what earlier
            versions let pass is not refused.
        changed: Keys that make it another than its file. What has no effect beside them is left
            out, unless it is one of them, and the figures it expects may be of heads that it lacks.

    Raises:
        RecipeError: Naming the key that does not fit.
    """
    recipe = fitting_recipe(content, where)
    if kept:
        return without(recipe, idle(recipe))
    if changed:
        recipe = without(recipe, [key for key in idle(recipe) if not _within(key, changed)])
    check_meant(recipe, where)
    if not changed:
        check_expected(recipe, where)
    return recipe


def fitting_recipe(content: Mapping[str, Any], where: str) -> Recipe:
    """Return a recipe whose keys and values fit, whether or not all of them have an effect.

    Raises:
        RecipeError: Naming the key that does not fit, and its file as `where`.
    """
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{where}: {_sentence(error)}") from error
    check_outputs(recipe, where)
    return recipe


def _within(key: str, changed: Iterable[str]) -> bool:
    return any(f"{key}.".startswith(f"{other}.") for other in changed)


def _override(content: dict[str, Any], override: str) -> str:
    """Change what an override says, and return its key."""
    key, separator, text = override.partition("=")
    if not separator:
        raise RecipeError(f"An override must be key=value. Got {override!r} instead.")
    *parents, last = key.strip().split(".")
    table = table_of(content, parents)
    if table is None:
        raise RecipeError(f"The override {override!r} names no table of the recipe.")
    table[last] = _value(text.strip())
    return key.strip()


def table_of(content: dict[str, Any], parents: Iterable[str]) -> dict[str, Any] | None:
    """Return the table at a path such as ("heads", "0"), made if it is missing; None if none."""
    table: Any = content
    for parent in parents:
        if isinstance(table, list) and parent.isdecimal() and int(parent) < len(table):
            table = table[int(parent)]
        else:
            table = table.setdefault(parent, {}) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else None


def _value(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    # No key is a date or a time; the split 20:10:10 looks like one.
    return text if isinstance(value, (date, time)) else value


def _sentence(error: ValidationError) -> str:
    # A misspelt key is two errors: an unknown key says more than a missing one.
    unknown = [e for e in error.errors() if e["type"] == "extra_forbidden"]
    first = (unknown or error.errors())[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"the key {key!r} is missing."
    if first["type"] != "extra_forbidden":
        return f"{key}: {first['msg']}. Got {first['input']!r} instead."
    *parents, last = first["loc"]
    return f"{key}: {unknown_name('key', last, _keys(parents))}"


def _keys(parents: Iterable[int | str]) -> list[str]:
    model: type[BaseModel] = Recipe
    for parent in parents:
        if isinstance(parent, int):
            continue
        annotation = model.model_fields[parent].annotation
        inner = getattr(annotation, "__args__", (annotation,))[0]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)
