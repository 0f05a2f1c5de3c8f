"""`mien compare`: several models on the same faces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli.console import results, say
from mien.apps.cli.data import Names, Votes
from mien.apps.cli.evaluate import Among, Split, check_choices, check_of_dataset, one_dataset
from mien.apps.cli.extras import need
from mien.errors import MienError
from mien.files import check_folder

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.evaluation.comparison import Compared, Comparison
    from mien.evaluation.predictions import Predictions


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Runs' folders, shipped models, ONNX files, or predictions as Parquet or CSV; only"
            " these need no --data. The first is what the others are compared with."
        ),
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="A dataset to judge the models on. Repeatable."),
    ] = None,
    votes: Votes = None,
    names: Names = None,
    split: Split = None,
    labels: Among = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the page.")] = Path("comparison"),
) -> None:
    """Compare models on the same faces: figures, paired differences, McNemar's test, a figure.

    With several datasets the models are shown across them: train on one, test on another. Faces
    that a run or a file was trained on, where its recipe divided the dataset anew, are left out
    for all.
    """
    need("train", "Comparing")
    from mien.evaluation.comparison_page import write_comparisons

    if len(models) < 2 and len(data or ()) < 2:
        raise MienError("Name two or more models to compare, or two or more datasets.")
    check_choices(labels, split)
    check_folder(out)
    found = [
        comparison
        for tables in _tables(models, data or (), votes, names, split)
        for comparison in _compared(tables, labels, split)
    ]
    page = write_comparisons(found, out)
    for comparison in found:
        _print(comparison)
    say(f"Open {page}")


def _tables(
    models: Sequence[str],
    data: Sequence[Path],
    votes: Path | None,
    names: Sequence[str] | None,
    split: str | None,
) -> list[list[list[Predictions]]]:
    """Return the tables by dataset, model and output."""
    from mien.evaluation.model_predictions import predictions_from
    from mien.evaluation.predictions_file import SUFFIXES, read_predictions

    files = [Path(model).suffix.lower() in SUFFIXES for model in models]
    if all(files) and not data:
        check_of_dataset(data, votes, names)
        return [_named([[read_predictions(Path(model))] for model in models], models)]
    if not data:
        raise MienError("Name the dataset to compare the models on: --data.")
    if any(files) and len(data) > 1:
        raise MienError("Predictions are of one dataset: give one --data with them.")
    every = any(files) or split in ("train", "all")
    _check_models([model for model, is_file in zip(models, files) if not is_file])
    found = []
    for path in data:
        faces = one_dataset([path], votes if _has_votes(path, data) else None, names)
        tables = [
            [_beside(Path(model), faces, split)]
            if is_file
            else predictions_from(model, faces, every=every, progress=True)
            for model, is_file in zip(models, files)
        ]
        found.append(_named(tables, models))
    return found


def _beside(file: Path, faces: FaceDataset, split: str | None) -> Predictions:
    """Read predictions beside their dataset; say if they leave faces out."""
    from mien.evaluation.judged import judged
    from mien.evaluation.predictions_file import read_predictions
    from mien.evaluation.sections.headline import unpredicted

    found = judged(read_predictions(file), faces, split)
    if found.unpredicted:
        say(unpredicted(found))
    return found.table


def _check_models(models: Sequence[str]) -> None:
    """Check that there are such models, before the first is asked."""
    from mien.inference.zoo import model_path

    for model in models:
        if not Path(model).is_dir():
            model_path(model)


def _has_votes(path: Path, data: Sequence[Path]) -> bool:
    """Say whether the votes belong to a dataset: to the only one, or to FER2013."""
    from mien.apps.cli.train import VOTED
    from mien.data.readers import find_reader

    return len(data) == 1 or find_reader(path)[0].startswith(VOTED)


def _named(
    tables: Sequence[Sequence[Predictions]], models: Sequence[str]
) -> list[list[Predictions]]:
    """Return the tables with names that differ: of equal ones, what the user called them."""
    names = Counter(row[0].model for row in tables)
    return [
        [replace(t, model=model) if names[t.model] > 1 else t for t in row]
        for row, model in zip(tables, models)
    ]


def _compared(
    tables: Sequence[Sequence[Predictions]], labels: str | None, split: str | None
) -> list[Comparison]:
    from mien.evaluation.comparison import common_labels, compare, of_same_labels
    from mien.labels import label_set

    wanted = common_labels(tables) if labels is None else [label_set(labels)]
    return [compare(of_same_labels(tables, choice), split) for choice in wanted]


def _print(comparison: Comparison) -> None:
    from mien.evaluation.comparison_page import notes, title

    _print_models(title(comparison), comparison.models)
    for note in notes(comparison):
        say(note)
    if comparison.unleaked:
        _print_models(f"Without {comparison.leaked:,} leaked faces", comparison.unleaked)


def _print_models(heading: str, models: Sequence[Compared]) -> None:
    from mien.evaluation.comparison_page import DIFFERENCE_HEADER, difference_cells
    from mien.evaluation.written import within

    table = Table(title=escape(heading))
    for column in ("Model", "Accuracy", "Macro F1", *DIFFERENCE_HEADER):
        table.add_column(column)
    for model in models:
        cells = [within(*model.figures[name]) for name in ("accuracy", "macro_f1")]
        table.add_row(*map(escape, [model.model, *cells, *difference_cells(model)]))
    results.print(table)
