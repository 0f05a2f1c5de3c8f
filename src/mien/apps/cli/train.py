"""`mien train`: from a recipe and a dataset to an evaluated run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mien.apps.cli import exits
from mien.apps.cli.console import results, say
from mien.apps.cli.data import Votes, load
from mien.apps.cli.extras import need

if TYPE_CHECKING:
    from mien.evaluation.report import HeadReport
    from mien.recipe import ExpectedFigure


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of a shipped recipe.")],
    data: Annotated[
        Path, typer.Option("--data", help="The dataset: FER2013 as CSV or archive, or a store.")
    ],
    votes: Votes = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="The run's folder; runs/NAME by default.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: --set training.epochs=5. Can be repeated."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run after its last epoch.")
    ] = False,
) -> None:
    """Train a recipe, select on validation, calibrate, and measure once on test.

    Interrupt it whenever you like: --resume continues after the last finished epoch, to the same
    result.
    """
    need("train", "Training")
    from mien.recipe import find_recipe, load_recipe

    wanted = load_recipe(find_recipe(recipe), overrides or ())
    if overrides:  # a changed recipe need not reach the figures of the original
        wanted = wanted.model_copy(update={"expected": ()})
    folder = run or Path("runs") / wanted.name
    dataset = load(data, votes)

    from mien.evaluation.report import evaluate_run
    from mien.training.train import train as train_recipe

    try:
        finished = train_recipe(wanted, dataset, folder, resume=resume)
    except KeyboardInterrupt:
        say("Interrupted: the same command with --resume continues after the last whole epoch.")
        raise typer.Exit(exits.INTERRUPTED) from None
    say("Measuring on test, with bootstrap intervals …")
    reports = evaluate_run(finished, dataset)
    _print_reports(reports)
    for expected in wanted.expected:
        say(_compare(expected, reports))
    say(f"Run: {folder}   Export it: mien export {folder} --out {wanted.name}.onnx")


def _compare(expected: ExpectedFigure, reports: Sequence[HeadReport]) -> str:
    figures = [figure for report in reports for figure in report.figures]
    wanted = (expected.head, expected.metric)
    found = next((f for f in figures if (f.head, f.metric) == wanted), None)
    if found is None:
        return f"{expected.head} {expected.metric}: expected {expected.value}, not measured."
    close = abs(found.value - expected.value) <= expected.tolerance
    return (
        f"{expected.head} {expected.metric}: expected {expected.value} ± {expected.tolerance}"
        f" ({expected.source}), measured {found.value:.4f}: {'as expected' if close else 'not so'}."
    )


def _print_reports(reports: Sequence[HeadReport]) -> None:
    table = Table(title="Test, with 95 % bootstrap intervals")
    for column in ("Output", "Images", "Metric"):
        table.add_column(column)
    table.add_column("Value", justify="right")
    for report in reports:
        for figure in report.figures:
            value = f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
            images = f"{figure.subset} ({figure.images:,})"
            table.add_row(figure.head, images, figure.metric, value.replace("[", "\\["))
        table.add_section()
    results.print(table)
