"""`mien data show` and `convert`: read datasets, count them, and write them as stores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli.console import complain, results, say
from mien.apps.cli.extras import need
from mien.errors import MienError
from mien.labels import ClassNames, label_set

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset

MOST_SKIPPED = 20

app = typer.Typer(
    help="Read datasets, count them, change labels and splits, and keep them as Parquet.",
    no_args_is_help=True,
)

Source = Annotated[
    Path,
    typer.Argument(
        help="FER2013 (CSV, archive or folders), CK+48, a folder per class, or a store."
    ),
]
Votes = Annotated[
    Path | None, typer.Option("--votes", help="FER+'s fer2013new.csv, joined row by row.")
]
Layout = Annotated[
    str | None, typer.Option("--layout", help="The dataset's layout, if it is not recognised.")
]
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--name",
        help="What a class name means: --name freude=happiness; --name unknown= leaves that class"
        " out. Repeatable.",
    ),
]
As = Annotated[
    str | None, typer.Option("--as", help="Name of the dataset; its layout's if not said.")
]
Out = Annotated[Path, typer.Option("--out", help="Folder of the new store.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the store that stands in --out.")
]


def show(source: Source, votes: Votes = None, layout: Layout = None, names: Names = None) -> None:
    """Show how many faces each split holds of each expression."""
    _print_counts(load(source, votes, layout, names))


def convert(
    source: Source,
    out: Out,
    votes: Votes = None,
    layout: Layout = None,
    names: Names = None,
    labels: Annotated[
        str | None,
        typer.Option("--labels", help="Change to this label set: four, or happy+sad+neutral."),
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option("--merge", help="With --labels: --merge contempt=disgust. Repeatable."),
    ] = None,
    name: As = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a dataset as a store: faces.parquet (pandas and Hugging Face read it) and a JSON."""
    check_out(out, overwrite)
    if merge and labels is None:
        raise MienError("--merge needs the --labels that the faces are brought into.")
    dataset = load(source, votes, layout, names)
    if labels is not None:
        from mien.data.relabel import relabel

        dataset = relabel(dataset, label_set(labels), _pairs(merge or (), "--merge"))
    write(dataset, out, name)


def check_out(out: Path, overwrite: bool) -> None:
    """Check that a store may be written, before anything is read.

    Raises:
        MissingExtraError: If pyarrow is not installed.
        MienError: If a store stands there and is not to be replaced, or something else does.
    """
    need("parquet", "A dataset store")
    from mien.data.store import check_place, is_store

    check_place(out)
    if is_store(out) and not overwrite:
        raise MienError(f"{out} holds a dataset already: add --overwrite to replace it.")


def load(
    source: Path,
    votes: Path | None,
    layout: str | None = None,
    names: Sequence[str] | None = None,
) -> FaceDataset:
    """Read a dataset with a bar, say at the end what could not be read, and join its votes.

    Raises:
        DataError: If the dataset or the votes cannot be read.
    """
    return load_with_errors(source, votes, layout, names)[0]


def load_with_errors(
    source: Path,
    votes: Path | None,
    layout: str | None = None,
    names: Sequence[str] | None = None,
) -> tuple[FaceDataset, list[MienError]]:
    """Do as `load`; return the errors of the files that were left out, too.

    Raises:
        DataError: If the dataset or the votes cannot be read.
    """
    from mien.data.readers import read_dataset
    from mien.data.votes import join_votes

    skipped: list[MienError] = []
    own = class_names(names)
    dataset = read_dataset(source, layout=layout, names=own, skip=skipped.append, progress=True)
    complain([str(error) for error in skipped], MOST_SKIPPED, "Left out: ", "yellow")
    return (dataset if votes is None else join_votes(dataset, votes)), skipped


def class_names(names: Sequence[str] | None) -> ClassNames:
    """Return what class names mean, with the user's `--name name=expression` among them.

    With no expression after the sign the class is left out.

    Raises:
        MienError: If one is not given like that, or stands for no known expression.
    """
    given = names or ()
    for text in given:
        if "=" not in text or text.startswith("="):
            raise MienError(
                "--name must be given as name=expression, or as name= to leave a class out. Got"
                f" {text!r} instead."
            )
    return ClassNames(dict(text.split("=", 1) for text in given))


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    for name, expression in pairs.items():
        if not name or not expression:
            raise MienError(f"{option} must be given as name=expression. Got {name!r} instead.")
    return pairs


def write(dataset: FaceDataset, out: Path, name: str | None = None) -> None:
    """Write a dataset as a store with a bar, under another name if one is given; print its counts.

    Raises:
        MienError: If it cannot be written.
    """
    from mien.data.store import write_store

    dataset = dataset if name is None else dataset.renamed(name)
    write_store(dataset, out, progress=True)
    _print_counts(dataset)
    say(f"Wrote {out}")


def _print_counts(dataset: FaceDataset) -> None:
    from mien.data.explore.statistics import counts_table

    (first, *splits), rows = counts_table(dataset)
    table = Table(title=escape(f"{dataset.name}: {len(dataset):,} faces"))
    table.add_column(first.capitalize())
    for name in splits:
        table.add_column(name, justify="right")
    for number, (expression, *counts) in enumerate(rows, start=1):
        last_class = number == len(rows) - 1
        table.add_row(str(expression), *(f"{n:,}" for n in counts), end_section=last_class)
    results.print(table)
    people = len(set(dataset.subjects.tolist()) - {""})
    if people:
        results.print(f"Subjects {people:,}")
    for step in dataset.history:
        results.print(f"· {escape(step)}")
    results.print(f"Fingerprint {dataset.fingerprint}")
