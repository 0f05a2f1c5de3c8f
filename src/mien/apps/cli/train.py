"""`mien train`: from a recipe and a dataset to an evaluated run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli import exits
from mien.apps.cli.before_training import say_before
from mien.apps.cli.console import results, say
from mien.apps.cli.data import Names, Votes, load
from mien.apps.cli.extras import need
from mien.apps.cli.wanted_recipe import adapts, check_kept, wanted_recipe
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.evaluation.report import HeadReport
    from mien.recipe import ExpectedFigure, Recipe
    from mien.training.run import Run

DIVIDED = ("split", "keep", "test_per_class")
"""Keys of the data part that it sets for data with splits, or persons, of their own."""

Data = Annotated[
    list[Path],
    typer.Option(
        "--data",
        help="The dataset the recipe names: its archive, folder or a store. Repeatable where it"
        " names several.",
    ),
]

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key: --set training.epochs=5. Can be repeated."),
]

FEW = 100
"""Faces below which figures say little, whatever their interval."""

VOTED = "fer2013"
"""The dataset that FER+'s votes belong to."""


def train(
    data: Data,
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="A recipe file, or the name of a shipped recipe; with --from fine-tune by default."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Begin with a shipped model, an ONNX file or a run's folder. Alone, it fine-tunes"
            " on --data, which may then be photos in a folder per expression.",
        ),
    ] = None,
    votes: Votes = None,
    names: Names = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="The run's folder; runs/NAME by default.")
    ] = None,
    overrides: Overrides = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            metavar="0,1,2",
            help="Train once with each of these seeds, into seed-0 and so on in the run's folder;"
            " report mean and interval.",
        ),
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
    result. Of several --seeds it trains those that are left, and those that were added.
    """
    need("train", "Training")
    wanted = wanted_recipe(recipe, start, overrides or ())
    folder = run or Path("runs") / wanted.name
    from mien.evaluation.report import evaluate_run
    from mien.training.machine import Machine
    from mien.training.train import train as train_recipe

    machine = Machine(devices, machines, tensorboard)
    if find_rate and (resume or seeds is not None or machine != Machine()):
        raise MienError(
            "--find-rate trains nothing: it goes with no --resume, --seeds, --devices, --machines"
            " or --tensorboard."
        )
    given = Given(overrides or (), data, votes, names)
    if seeds is not None:
        from mien.apps.cli.seeds import train_seeds

        train_seeds(wanted, seeds, given, folder, machine, resume=resume)
        return
    try:
        wanted, dataset = _with_faces(wanted, given, folder)
        if find_rate:
            _find_rate(wanted, dataset, folder)
            return
        say_before(wanted, dataset)
        finished = train_recipe(wanted, dataset, folder, resume=resume, machine=machine)
        if not machine.leads:
            return
        say("Measuring, with bootstrap intervals …")
        reports = evaluate_run(finished, dataset)
    except KeyboardInterrupt:
        raise interrupted(_is_begun(folder)) from None
    _say_measured(wanted, finished, reports)


def _say_measured(wanted: Recipe, finished: Run, reports: Sequence[HeadReport]) -> None:
    """Print a run's figures, what they may not be taken for, and how it is exported."""
    from mien.export.origin_section import TOO_GOOD
    from mien.inference.zoo import shipped_models

    print_reports(reports)
    if wanted.start is not None or wanted.distillation is not None:
        say(TOO_GOOD)
    for expected in wanted.expected:
        say(_compare(expected, reports, finished))
    # A shipped model's name is its own.
    file = f"my-{wanted.name}" if wanted.name in shipped_models() else wanted.name
    folder = finished.folder
    say(f"Run: {folder}   Export it: mien export {folder} --out {file}.onnx")


class Given(NamedTuple):
    """What the command line says of the data."""

    overrides: Sequence[str]
    data: Sequence[Path]
    votes: Path | None
    names: Sequence[str] | None


def _is_begun(folder: Path) -> bool:
    from mien.training.run import Run

    return Run(folder).recipe_file.exists()


def interrupted(begun: bool) -> typer.Exit:
    """Say how it goes on after an interruption; return what ends the program."""
    say(
        "Interrupted: the same command with --resume continues after the last whole epoch."
        if begun
        else "Interrupted before the first step: the same command begins anew."
    )
    return typer.Exit(exits.INTERRUPTED)


def _with_faces(recipe: Recipe, given: Given, folder: Path) -> tuple[Recipe, FaceDataset]:
    from mien.data.assemble import assemble

    recipe, datasets = read_given(recipe, given, folder)
    return recipe, assemble(recipe.data, datasets, progress=True)


def read_given(recipe: Recipe, given: Given, folder: Path) -> tuple[Recipe, list[FaceDataset]]:
    """Return the recipe and its datasets; one that is to adapt is made to fit the data first."""
    overrides, data, votes, names = given
    if not adapts(recipe):
        return recipe, _datasets(data, votes, names)
    from mien.apps.cli.photos import fitted
    from mien.training.run import Run

    made, faces = fitted(recipe, data, votes, names, Run(folder))
    moved = [key for key in DIVIDED if getattr(made.data, key) != getattr(recipe.data, key)]
    check_kept(recipe, overrides, [f"data.{key}" for key in moved])
    return made, [faces]


def _find_rate(recipe: Recipe, dataset: FaceDataset, folder: Path) -> None:
    from mien.training.rate_finder import find_rate, plot_search

    picture = folder.parent / f"{folder.name}-rates.png"
    found = find_rate(recipe, dataset)
    plot_search(found, picture)
    results.print(f"Suggested learning rate: {found.suggestion:.1e}")
    say(f"Look at {picture}; use it: --set optimiser.learning_rate={found.suggestion:.1e}")


def assembled(
    recipe: Recipe,
    data: Sequence[Path],
    votes: Path | None,
    names: Sequence[str] | None = None,
) -> FaceDataset:
    """Read the datasets of a recipe and do to them what its data part says.

    FER+'s votes are joined to FER2013, where there are several datasets.

    Raises:
        MienError: If they cannot be read, are not the recipe's, or do not allow a step.
    """
    from mien.data.assemble import assemble

    return assemble(recipe.data, _datasets(data, votes, names), progress=True)


def _datasets(
    data: Sequence[Path], votes: Path | None, names: Sequence[str] | None
) -> list[FaceDataset]:
    only = len(data) == 1
    read = [load(path, None, names=names) for path in data]
    if votes is None:
        return read
    from mien.data.votes import join_votes

    if not only and VOTED not in [d.name for d in read]:
        raise MienError(f"--votes are of {VOTED!r}, which is none of the datasets.")
    return [join_votes(d, votes) if only or d.name == VOTED else d for d in read]


def _compare(
    expected: ExpectedFigure, reports: Sequence[HeadReport], run: Run | None = None
) -> str:
    from mien.evaluation.expected import measured

    found = measured(expected, reports, run)
    what = f"{expected.head} {expected.split} {expected.metric}"
    if found is None:
        return f"{what}: expected {expected.value}, not measured."
    close = abs(found - expected.value) <= expected.tolerance
    return (
        f"{what}: expected {expected.value} ± {expected.tolerance}"
        f" ({expected.source}), measured {found:.4f}: {'as expected' if close else 'not so'}."
    )


def print_reports(reports: Sequence[HeadReport]) -> None:
    """Print every figure of some heads."""
    from mien.evaluation.metrics import METRICS

    table = Table(title="Figures, with 95 % bootstrap intervals")
    for column in ("Output", "Split", "Images", "Metric"):
        table.add_column(column)
    table.add_column("Value", justify="right")
    for report in reports:
        for figure in (f for f in report.figures if f.metric in METRICS):
            images = f"{figure.subset} ({figure.images:,})"
            table.add_row(figure.head, figure.split, images, figure.metric, escape(figure.within))
        table.add_section()
    results.print(table)
    judged = [f.images for report in reports for f in report.figures if f.metric in METRICS]
    if judged and min(judged) < FEW:
        say(f"Some of these figures are of {min(judged)} faces only: they say little.")
