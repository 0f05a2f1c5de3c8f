"""`mien tune`: search the values of a recipe's keys that are best on validation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli import exits
from mien.apps.cli.console import results, say
from mien.apps.cli.data import Names, Votes
from mien.apps.cli.extras import need
from mien.apps.cli.train import Data, Overrides, assembled
from mien.apps.cli.wanted_recipe import check_adapted
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.training.tuning.report import Tuned

SHOWN = 10


def tune(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or a shipped recipe's name.")],
    data: Data,
    space: Annotated[
        Path,
        typer.Option(
            "--space",
            help='TOML: ["training.batch_size"] with choices = [16, 32], or low, high, log, step;'
            " or the name of a shipped one.",
        ),
    ],
    votes: Votes = None,
    names: Names = None,
    sampler: Annotated[
        str, typer.Option("--sampler", help="grid for all combinations, random, or tpe.")
    ] = "tpe",
    trials: Annotated[
        int | None,
        typer.Option("--trials", help="How many, over all workers; 50, or the whole grid."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage", help="A database that workers share, by its URL; SQLite in --out."
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="The study's name there; the recipe's.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder; runs/NAME-tuning by default.")
    ] = None,
    prune: Annotated[
        bool | None,
        typer.Option(
            "--prune/--no-prune", help="Give up what is worse than the median; not for a grid."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the choices.")] = 0,
    overrides: Overrides = None,
) -> None:
    """Train a recipe with many values of its keys and keep those that are best on validation.

    The same command continues an interrupted search, and started again meanwhile, here or with
    --storage on another machine, helps it. Leaves tuning.html, trials.csv and best.toml, a recipe
    for `mien train`.
    """
    need("train", "Tuning")
    from mien.recipe import find_recipe, find_space, load_recipe
    from mien.training.cross_validation import unrepeated
    from mien.training.tuning.comparable import check_selection
    from mien.training.tuning.samplers import known_sampler
    from mien.training.tuning.space import read_space
    from mien.training.tuning.tune import Search
    from mien.training.tuning.tune import tune as search_values

    wanted = load_recipe(find_recipe(recipe), overrides or ())
    check_adapted(wanted)
    search = Search(known_sampler(sampler), trials, prune, seed, storage, study)
    check_selection(wanted)
    searched = read_space(find_space(space), wanted)
    dataset = assembled(unrepeated(wanted), data, votes, names)
    folder = out or Path("runs") / f"{wanted.name}-tuning"
    try:
        tuned = search_values(wanted, dataset, searched, folder, search)
    except KeyboardInterrupt:
        say("Interrupted: the same command continues, also the interrupted trial.")
        raise typer.Exit(exits.INTERRUPTED) from None
    _print(tuned)
    say(f"Wrote {folder / 'tuning.html'}: {tuned.counts()}")
    failed = [record for record in tuned.records if record.state == "failed"]
    if len(failed) == len(tuned.records) > 0:
        raise MienError(f"All trials failed, the first because: {failed[0].reason}")
    if tuned.best is not None:
        say(f"Train the best: mien train {folder / 'best.toml'} --data …")


def _print(tuned: Tuned) -> None:
    from mien.training.tuning.bar import shown

    table = Table(title=escape(f"{tuned.recipe.name}: the best trials"))
    for column in ("trial", tuned.recipe.training.select, *tuned.space):
        table.add_column(escape(column), justify="right")
    for record in tuned.ranked()[:SHOWN]:
        values = (escape(shown(value)) for value in record.values.values())
        table.add_row(str(record.number), f"{record.value:.4f}", *values)
    results.print(table)
