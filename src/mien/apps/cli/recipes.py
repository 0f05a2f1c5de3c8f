"""`mien recipes`: the experiments that ship, and what each should reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mien.apps.cli.console import results, say
from mien.apps.cli.extras import need
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.recipe import ExpectedFigure, Recipe

COLUMNS = ("Recipe, network", "Source", "Data", "Expected accuracy")

UNCUT = (COLUMNS[0], COLUMNS[-1])
"""Names are for copying, and figures belong on one line."""


def recipes(
    name: Annotated[str, typer.Argument(help="Print one recipe, to read it or to change it.")] = "",
    layers: Annotated[
        bool,
        typer.Option("--layers", help="Print its network instead: layers, shapes, parameters."),
    ] = False,
) -> None:
    """List the shipped recipes with source, data, network and the figure to expect.

    Begin one of your own with: mien recipes chen > own.toml
    """
    from mien.recipe import find_recipe, load_recipe, recipe_text

    if layers:
        if not name:
            raise MienError("--layers needs a recipe: mien recipes NAME --layers.")
        need("train", "A network's table of layers", ("torch",))
        _print_layers(load_recipe(find_recipe(name)))
    elif name:
        results.out(recipe_text(find_recipe(name)), end="")
    else:
        _print_all()


def _print_layers(recipe: Recipe) -> None:
    from mien.models import build_network
    from mien.models.cost import count_macs
    from mien.models.layer_table import layer_table

    size = recipe.preprocess.size
    network = build_network(recipe.network.name, recipe.outputs, recipe.network.options)
    rows = layer_table(network, size)
    table = Table("Layer", "Kind", "Output", "Parameters", box=SIMPLE_HEAD, pad_edge=False)
    table.columns[-1].justify = "right"
    for row in rows:
        shape = " x ".join(map(str, row.shape))
        table.add_row(escape(row.name), row.kind, shape, f"{row.parameters:,}")
    results.print(table)
    results.print(
        f"{sum(row.parameters for row in rows):,} parameters, moving statistics included;"
        f" {count_macs(network, size):,} multiply-accumulates for a grey face of {size}x{size}."
    )


def _print_all() -> None:
    from mien.recipe import load_recipe, shipped_recipes

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
