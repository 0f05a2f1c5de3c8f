"""`mien recipes`: the experiments that ship, and what each should reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mien.apps.cli.console import results, say

if TYPE_CHECKING:
    from mien.recipe import ExpectedFigure, Recipe

COLUMNS = ("Recipe, network", "Source", "Data", "Expected accuracy")

UNCUT = (COLUMNS[0], COLUMNS[-1])
"""Names are for copying, and figures belong on one line."""


def recipes(
    name: Annotated[str, typer.Argument(help="Print one recipe, to read it or to change it.")] = "",
) -> None:
    """List the shipped recipes with source, data, network and the figure to expect.

    Begin one of your own with: mien recipes chen > own.toml
    """
    from mien.recipe import find_recipe, load_recipe, recipe_text, shipped_recipes

    if name:
        results.out(recipe_text(find_recipe(name)), end="")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=column in UNCUT)
    shipped = [load_recipe(path) for path in shipped_recipes().values()]
    for recipe in shipped:
        table.add_row(*_row(recipe))
    results.print(table)
    for reason in sorted({recipe.skip for recipe in shipped if recipe.skip}):
        results.print(Text(f"* {reason}."))
    say("One of them, with its command: mien recipes NAME")


def _row(recipe: Recipe) -> list[Text]:
    data = recipe.data.dataset.replace("+", " + ") + (" *" if recipe.skip else "")
    return [
        Text.assemble((recipe.name, "bold"), (f"\n{recipe.network.name}", "dim")),
        Text(recipe.source),
        Text(data),
        Text("\n".join(_figure(figure) for figure in recipe.expected) or "none"),
    ]


def _figure(figure: ExpectedFigure) -> str:
    metric = "" if figure.metric == "accuracy" else f"{figure.metric} "
    return f"{figure.split} {metric}{figure.value:g} ± {figure.tolerance:g}"
