"""The `mien` program."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from mien import __version__
from mien.apps.cli import (
    agree,
    analyze,
    compare,
    crossval,
    data,
    demo,
    division,
    ensemble,
    evaluate,
    exits,
    explain,
    export,
    inspection,
    live,
    models,
    prepare,
    quantise,
    recipes,
    reproduce,
    serve,
    train,
    tune,
)
from mien.apps.cli.console import complain, results, write_anything
from mien.errors import MienError

HELP = """
Read the expressions of faces in photos; train and check the networks for it.

[bold]Read a photo[/bold]     mien analyze photo.jpg
[bold]Read a folder[/bold]    mien analyze photos/ --out readings.csv
[bold]Read a video[/bold]     mien analyze clip.mp4 --out readings.csv --report report/
[bold]Read a camera[/bold]    mien live 0
[bold]See it work[/bold]      mien demo
[bold]Audit a dataset[/bold]  mien data audit fer2013.zip
[bold]Train a model[/bold]    mien train mien-base --data fer2013.zip --votes votes.csv

Everything runs on this machine; no picture leaves it. A reading says how
people would label a face, not what the person feels.
"""

app = typer.Typer(
    help=HELP,
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

READ = "Reading expressions"
TRAIN = "Data and training (extra \\[train])"


def _add(group: typer.Typer, *commands: Callable[..., None], panel: str | None = None) -> None:
    """Add commands; their help is their docstring, each paragraph wrapped to the terminal."""
    for command in commands:
        paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
        text = "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
        group.command(help=text, rich_help_panel=panel)(command)


_add(app, analyze.analyze, live.live, explain.explain, panel=READ)
_add(app, agree.agree, serve.serve, demo.demo, models.models, panel=READ)
_add(app, train.train, evaluate.evaluate, compare.compare, panel=TRAIN)
_add(app, ensemble.ensemble, export.export, quantise.quantise, panel=TRAIN)
_add(app, crossval.crossval, tune.tune, panel=TRAIN)
_add(data.app, data.show, data.convert, division.split, division.balance, division.combine)
_add(data.app, prepare.prepare, inspection.explore, inspection.audit, inspection.clean)
_add(app, recipes.recipes, reproduce.reproduce, panel=TRAIN)
app.add_typer(data.app, name="data", rich_help_panel=TRAIN)


def _version(wanted: bool) -> None:
    if wanted:
        results.print(f"mien {__version__}")
        raise typer.Exit


@app.callback()
def _mien(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the program; a user's mistake is one sentence and exit code 2."""
    write_anything()
    try:
        app()
    except MienError as error:
        complain([str(error)])
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        complain([f"{place}{error.strerror or error}."])
    else:
        return
    sys.exit(exits.BAD_INPUT)
