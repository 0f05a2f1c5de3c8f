"""`mien evaluate`: a model, or its predictions, on a dataset as a page for review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli.console import results, say
from mien.apps.cli.data import Names, Votes, load
from mien.apps.cli.export import Tta
from mien.apps.cli.extras import need
from mien.apps.cli.train import assembled
from mien.errors import MienError, unknown_name

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.evaluation.judged import Judged
    from mien.evaluation.predictions import Predictions
    from mien.training.run import Run

Split = Annotated[
    str | None,
    typer.Option("--split", help="The faces to judge: test, val, train or all; test by default."),
]
Among = Annotated[
    str | None,
    typer.Option(
        "--labels",
        help="Judge as if only these could be chosen: four, ckplus7, or happy+sad+neutral. Of the"
        " output that has just these, where there is one: basic7 of the shipped models, for tests"
        " on FER2013's labels; mien analyze narrows the first output, which readings use.",
    ),
]


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            help="A run's folder, a shipped model, an ONNX file, or predictions as Parquet or CSV."
        ),
    ],
    dataset: Annotated[
        list[Path] | None,
        typer.Argument(help="The dataset; of a run whose recipe names several, all of them."),
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="The same, as other commands take it.")
    ] = None,
    votes: Votes = None,
    names: Names = None,
    tta: Tta = "none",
    split: Split = None,
    labels: Among = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the report; beside the run, or evaluation/MODEL."),
    ] = None,
) -> None:
    """Measure a model on a dataset: a page, its figures, the predictions it is computed from.

    A run on its own data is calibrated on validation first, and `mien export` puts these figures
    into the file. Faces that a model was trained on, where its recipe divided the dataset anew,
    are left out. Predictions of other programs come as CSV: id, truth, p_anger, p_happiness, …
    """
    need("train", "Evaluating")
    from mien.evaluation.comparison import wide_enough
    from mien.evaluation.judged import judged
    from mien.evaluation.review import earlier_outputs, write_review
    from mien.labels import label_set

    check_choices(labels, split)
    if out is not None:
        earlier_outputs(out)
    given = [*(dataset or ()), *(data or ())]
    found = _predicted(model, given, votes, names, tta, split in ("train", "all"))
    among = None if labels is None else label_set(labels)
    tables = found.tables if among is None else [wide_enough(found.tables, among)]
    metrics = None if found.run is None else found.run.metrics_file
    outputs = [judged(table, found.faces, split, metrics, among) for table in tables]
    what = "-".join(filter(None, (tta if tta != "none" else "", labels, split)))
    folder = out or _folder(model, found.run is None, what, outputs[0])
    page = write_review(outputs, folder, progress=True)
    _print(outputs, page.parent)
    say(f"Open {page}")


def check_choices(labels: str | None, split: str | None) -> None:
    """Check names of label sets and splits before anything long begins.

    Raises:
        MienError: If there is no such label set or split; says which is nearest.
    """
    from mien.evaluation.judged import EVERY
    from mien.labels import label_set

    if labels is not None:
        label_set(labels)
    splits = ("train", "val", "test", EVERY)
    if split is not None and split not in splits:
        raise MienError(unknown_name("split", split, splits))


@dataclass(frozen=True)
class Predicted:
    """What a model says, and of what.

    Args:
        tables: One an output.
        faces: The dataset; None if the predictions came as a file alone.
        run: The run, if it was evaluated on its own data.
    """

    tables: Sequence[Predictions]
    faces: FaceDataset | None
    run: Run | None = None


def _predicted(
    model: str,
    data: Sequence[Path],
    votes: Path | None,
    names: Sequence[str] | None,
    tta: str,
    every: bool,
) -> Predicted:
    from mien.evaluation.predictions_file import SUFFIXES, read_predictions

    path = Path(model)
    if path.is_dir():
        return _of_run(path, data, votes, names, tta, every)
    if tta != "none":
        raise MienError("--tta is for runs: an exported model has its views inside.")
    if path.suffix.lower() in SUFFIXES:
        check_of_dataset(data, votes, names)
        table = read_predictions(path)
        return Predicted([table], one_dataset(data, votes, names) if data else None)
    from mien.evaluation.model_predictions import predictions_from

    faces = one_dataset(data, votes, names)
    return Predicted(predictions_from(model, faces, every=every, progress=True), faces)


def _of_run(
    folder: Path,
    data: Sequence[Path],
    votes: Path | None,
    names: Sequence[str] | None,
    tta: str,
    every: bool,
) -> Predicted:
    from mien.evaluation.average.views import known_views
    from mien.evaluation.model_predictions import run_predictions
    from mien.evaluation.predictions_file import read_predictions
    from mien.evaluation.report import evaluate_run, predictions_file
    from mien.training.run import Run, report_name

    run, views = Run(folder), known_views(tta)
    run.check_finished()
    recipe = run.recipe()
    if len(data) == 1:
        other = one_dataset(data, votes, names)
        if other.name not in (recipe.data.dataset, *recipe.data.datasets):
            tables = run_predictions(run, other, every=every, views=views, progress=True)
            return Predicted(tables, other)
    _need_data(data)
    faces = assembled(recipe, data, votes, names)
    reports = evaluate_run(run, faces, views)
    say(f"Wrote {run.folder / report_name(views)}, which mien export puts into the file.")
    if every:
        return Predicted(run_predictions(run, faces, every=True, views=views), faces, run)
    files = [predictions_file(run, report.head.name, views) for report in reports]
    return Predicted([read_predictions(file) for file in files], faces, run)


def one_dataset(
    data: Sequence[Path], votes: Path | None, names: Sequence[str] | None
) -> FaceDataset:
    """Read the dataset that a model is judged on.

    Raises:
        MienError: If there is not one, or it cannot be read.
    """
    _need_data(data)
    if len(data) > 1:
        raise MienError(f"A model is judged on one dataset at a time. Got {len(data)} instead.")
    return load(data[0], votes, names=names)


def check_of_dataset(data: Sequence[Path], votes: Path | None, names: Sequence[str] | None) -> None:
    """Check that what is said of a dataset comes with one.

    Raises:
        MienError: If it does not.
    """
    if not data and (votes is not None or names):
        raise MienError("--votes and --name are of a dataset: name that, too.")


def _need_data(data: Sequence[Path]) -> None:
    if not data:
        raise MienError("Name the dataset to judge on: mien evaluate MODEL DATASET.")


def _folder(model: str, foreign: bool, what: str, output: Judged) -> Path:
    """Return the folder of a report: what it is of stands in its name."""
    path, data = Path(model), output.faces.dataset or "faces"
    if path.is_dir():
        return path / "-".join(filter(None, ("evaluation", data if foreign else "", what)))
    return Path("evaluation") / "-".join(filter(None, (path.stem, data, what)))


def _print(outputs: Sequence[Judged], folder: Path) -> None:
    """Print the headline figures that were written, a table an output."""
    from mien.evaluation.origin import READ, is_read
    from mien.evaluation.review import DATA
    from mien.evaluation.sections.headline import NAMES, told
    from mien.evaluation.written import within
    from mien.files import read_json

    content = read_json(folder / DATA)
    for output in outputs:
        subsets = content[output.faces.labels.name]["headline"]
        read = f" ({READ})" if is_read([output.table.origin]) else ""
        table = Table(title=f"{output.faces.labels.name}{read}, {output.split}; 95 % intervals")
        table.add_column("Figure")
        for subset, found in subsets.items():
            table.add_column(f"{subset} ({found['faces']:,})")
        for metric in NAMES:
            bounds = (
                [f[metric][key] for key in ("value", "low", "high")] for f in subsets.values()
            )
            table.add_row(metric.replace("_", " "), *(escape(within(*b)) for b in bounds))
        results.print(table)
    for note in dict.fromkeys(note for output in outputs for note in told(output)):
        say(note)
