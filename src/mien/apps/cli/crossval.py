"""`mien crossval`: a recipe judged on every face, fold by fold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

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
    from mien.data.dataset import FaceDataset
    from mien.data.split import Keep
    from mien.evaluation.folds.cross_validation import CrossValidated, HeadFigures
    from mien.recipe import Recipe
    from mien.training.cross_validation import CrossValidation


def crossval(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or a shipped recipe's name.")],
    data: Data,
    votes: Votes = None,
    names: Names = None,
    folds: Annotated[int | None, typer.Option("--folds", help="How many folds.")] = None,
    given: Annotated[
        Path | None,
        typer.Option("--from", help="Folds from `mien data split --folds … --save FILE`."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            help="What is not divided: nothing, twins or subjects; by default the recipe's.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the division.")] = 0,
    select_on_fold: Annotated[
        bool,
        typer.Option(
            "--select-on-fold",
            help="Select epochs on the held-out fold, as some papers do; the report says so.",
        ),
    ] = False,
    with_test: Annotated[
        bool, typer.Option("--with-test", help="Divide the test faces, too.")
    ] = False,
    run: Annotated[
        Path | None, typer.Option("--run", help="The folder; runs/NAME-crossval by default.")
    ] = None,
    overrides: Overrides = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue after the last finished epoch.")
    ] = False,
) -> None:
    """Train a recipe once per fold and judge each face by the network that never saw it.

    The recipe's test faces are set aside. Of the folds that are trained on, a share of 1/K selects
    the epoch and calibrates. Leaves crossval.html, crossval.json and out-of-fold.parquet, which
    `mien data audit --probabilities` finds wrong labels with.
    """
    need("train", "Cross-validation")
    if (folds is None) == (given is None):
        raise MienError("Cross-validation needs either --folds or --from.")
    from mien.data.split import known_keep
    from mien.evaluation.folds.cross_validation import cross_validate
    from mien.evaluation.folds.page import write_page
    from mien.recipe import find_recipe, load_recipe
    from mien.training.cross_validation import undivided

    wanted = load_recipe(find_recipe(recipe), overrides or ())
    check_adapted(wanted)
    together = None if keep is None else known_keep(keep)
    folder = run or Path("runs") / f"{wanted.name}-crossval"
    dataset = assembled(undivided(wanted), data, votes, names)
    choices = _Choices(with_test, together, seed, select_on_fold)
    plan = _plan(wanted, dataset, folds or given, choices)
    try:
        done = cross_validate(plan, folder, resume=resume)
    except KeyboardInterrupt:
        say("Interrupted: the same command with --resume continues after the last whole epoch.")
        raise typer.Exit(exits.INTERRUPTED) from None
    page = write_page(done)
    _print(done)
    say(f"Wrote {page}")


class _Choices(NamedTuple):
    with_test: bool
    keep: Keep | None
    seed: int
    select_on_fold: bool


def _plan(
    recipe: Recipe, dataset: FaceDataset, folds: int | Path | None, choices: _Choices
) -> CrossValidation:
    from mien.data.split_file import SplitFile
    from mien.training.cross_validation import given_folds, new_folds, pool_of

    with_test, keep, seed, select_on_fold = choices
    if not isinstance(folds, Path):
        pool = pool_of(dataset, with_test=with_test)
        return new_folds(
            recipe, pool, folds or 0, keep=keep, seed=seed, select_on_fold=select_on_fold
        )
    file = SplitFile.read(folds)
    return given_folds(
        recipe,
        dataset,
        file,
        with_test=with_test,
        keep=keep,
        seed=seed,
        select_on_fold=select_on_fold,
    )


def _print(done: CrossValidated) -> None:
    from mien.evaluation.folds.page import SELECTED_ON_FOLD

    for head in done.heads:
        results.print(_fold_table(head))
        results.print(_spread_table(head))
    if done.plan.select_on_fold:
        say(SELECTED_ON_FOLD)


def _fold_table(head: HeadFigures) -> Table:
    from mien.evaluation.folds.page import fold_table

    header, rows = fold_table(head)
    table = Table(title=escape(f"{head.labels.name}: the folds"))
    for column in header:
        table.add_column(column.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*map(str, row))
    return table


def _spread_table(head: HeadFigures) -> Table:
    from mien.evaluation.folds.page import spread_rows

    table = Table(title=escape(f"{head.labels.name}: all folds, with 95 % intervals"))
    for column in ("metric", "mean", "deviation", "of mean", "pooled", "of pooled"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for metric, cells in spread_rows(head).items():
        table.add_row(metric.replace("_", " "), *cells)
    return table
