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
    from mien.data.dataset import FaceDataset
    from mien.evaluation.report import HeadReport
    from mien.recipe import ExpectedFigure, Recipe

VOTED = "fer2013"
"""The dataset that FER+'s votes belong to."""


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of a shipped recipe.")],
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            help="The dataset the recipe names: its archive, folder or a store. Repeatable where it"
            " names several.",
        ),
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
    devices: Annotated[
        int, typer.Option("--devices", help="GPUs, or processes on a CPU, that train together.")
    ] = 1,
    machines: Annotated[
        int, typer.Option("--machines", help="Machines that train together, under torchrun.")
    ] = 1,
    find_rate: Annotated[
        bool,
        typer.Option("--find-rate", help="Only search a learning rate: draw loss over rate."),
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write logs for TensorBoard, too.")
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
    from mien.evaluation.report import evaluate_run
    from mien.training.machine import Machine
    from mien.training.train import train as train_recipe

    machine = Machine(devices, machines, tensorboard)
    dataset = assembled(wanted, data, votes)

    if find_rate:
        _find_rate(wanted, dataset, folder)
        return
    try:
        finished = train_recipe(wanted, dataset, folder, resume=resume, machine=machine)
    except KeyboardInterrupt:
        say("Interrupted: the same command with --resume continues after the last whole epoch.")
        raise typer.Exit(exits.INTERRUPTED) from None
    if not machine.leads:
        return
    say("Measuring, with bootstrap intervals …")
    reports = evaluate_run(finished, dataset)
    _print_reports(reports)
    for expected in wanted.expected:
        say(_compare(expected, reports))
    say(f"Run: {folder}   Export it: mien export {folder} --out {wanted.name}.onnx")


def _find_rate(recipe: Recipe, dataset: FaceDataset, folder: Path) -> None:
    from mien.training.rate_finder import find_rate, plot_search

    picture = folder.parent / f"{folder.name}-rates.png"
    found = find_rate(recipe, dataset)
    plot_search(found, picture)
    results.print(f"Suggested learning rate: {found.suggestion:.1e}")
    say(f"Look at {picture}; use it: --set optimiser.learning_rate={found.suggestion:.1e}")


def assembled(recipe: Recipe, data: Sequence[Path], votes: Path | None) -> FaceDataset:
    """Read the datasets of a recipe and do to them what its data part says.

    FER+'s votes are joined to FER2013, where there are several datasets.

    Raises:
        MienError: If they cannot be read, are not the recipe's, or do not allow a step.
    """
    from mien.data.assemble import assemble

    only = len(data) == 1
    read = [load(path, None) for path in data]
    if votes is not None:
        from mien.data.votes import join_votes

        read = [join_votes(d, votes) if only or d.name == VOTED else d for d in read]
    return assemble(recipe.data, read)


def _compare(expected: ExpectedFigure, reports: Sequence[HeadReport]) -> str:
    figures = [figure for report in reports for figure in report.figures]
    wanted = (expected.head, expected.metric, expected.split)
    found = next((f for f in figures if (f.head, f.metric, f.split) == wanted), None)
    if found is None:
        return f"{expected.head} {expected.metric}: expected {expected.value}, not measured."
    close = abs(found.value - expected.value) <= expected.tolerance
    return (
        f"{expected.head} {expected.metric}: expected {expected.value} ± {expected.tolerance}"
        f" ({expected.source}), measured {found.value:.4f}: {'as expected' if close else 'not so'}."
    )


def _print_reports(reports: Sequence[HeadReport]) -> None:
    table = Table(title="Figures, with 95 % bootstrap intervals")
    for column in ("Output", "Split", "Images", "Metric"):
        table.add_column(column)
    table.add_column("Value", justify="right")
    for report in reports:
        for figure in report.figures:
            value = f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
            images = f"{figure.subset} ({figure.images:,})"
            table.add_row(
                figure.head, figure.split, images, figure.metric, value.replace("[", "\\[")
            )
        table.add_section()
    results.print(table)
