"""`mien data split`, `balance` and `combine`: who is trained on, and who is tested."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from mien.apps.cli.console import say
from mien.apps.cli.data import Layout, Names, Out, Overwrite, Source, Votes, check_out, load, write
from mien.errors import MienError
from mien.files import check_file
from mien.labels import label_set

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.data.division import Division
    from mien.data.split import Keep
    from mien.data.split_file import SplitFile

SMALLEST = "smallest"

USUAL = "80:20"
"""The ratio of a split of which nothing is said."""

Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed, the same choice.")]


def split(
    source: Source,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the new store.")] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write the split as a file that can be shared.")
    ] = None,
    ratio: Annotated[
        str | None,
        typer.Option(
            "--ratio",
            help="train:test or train:val:test; with --test-per-class train:val. 80:20 if not"
            " said.",
        ),
    ] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", help="This many folds, for cross-validation.")
    ] = None,
    test_per_class: Annotated[
        int | None,
        typer.Option("--test-per-class", help="A balanced test: this many random faces of each."),
    ] = None,
    val: Annotated[
        float | None,
        typer.Option(
            "--val", help="Make this share of train, such as 0.1, val; test stays as it is."
        ),
    ] = None,
    official: Annotated[
        bool, typer.Option("--official", help="The splits that the dataset came with.")
    ] = False,
    given: Annotated[
        Path | None, typer.Option("--from", help="The split in this file, made by --save.")
    ] = None,
    fold: Annotated[
        int | None, typer.Option("--fold", help="With folds: the one that becomes test.")
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            help="What is not divided: nothing, twins (if not said) or subjects. A split of --from"
            " or --official is checked for it, if said.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The same seed, the same choice; 0 if not.")
    ] = None,
    votes: Votes = None,
    layout: Layout = None,
    names: Names = None,
    overwrite: Overwrite = False,
) -> None:
    """Divide a dataset anew, each class alike; write it as a store, or the split as a file.

    By default pixel-identical images stay on one side; with --keep subjects, all images of a
    person do. A file from --save names the faces of each part and carries fingerprints: others
    repeat the split with --from.
    """
    from mien.data.split import known_keep
    from mien.data.split_file import SplitFile

    if out is None and save is None:
        raise MienError("Nothing to write: give --out for a store, --save for a split file.")
    _one_scheme(folds, test_per_class, val, official, given)
    found = "--official" if official else "--from" if given is not None else ""
    _check_made(found, ratio, seed, folds is not None or val is not None)
    _check_ratio(ratio or USUAL, (2, 3) if test_per_class is None else (1, 2))
    if val is not None and not 0 < val < 1:
        raise MienError(f"--val must be a share above 0 and below 1, such as 0.1. Got {val:g}.")
    _fold_fits(fold, folds, given, out)
    if save is not None:
        check_file(save)
    if out is not None:
        check_out(out, overwrite)
        if folds is not None and fold is None:
            raise MienError("With --folds, --out needs --fold: the fold that becomes test.")
    keeps = None if keep is None else known_keep(keep)
    dataset = load(source, votes, layout, names)
    if given is not None or official:
        division = _found(dataset, given, keeps)
    else:
        how = _How(folds, test_per_class, val, ratio or USUAL, keeps or "twins", seed or 0)
        division = SplitFile.of(dataset, *_made(dataset, how))
    _write_split(division, dataset, fold, out, save)


class _How(NamedTuple):
    folds: int | None
    test_per_class: int | None
    val: float | None
    ratio: str
    keep: Keep
    seed: int


def _found(dataset: FaceDataset, given: Path | None, keep: Keep | None) -> SplitFile:
    """Return a split that others made: of a file, else the one the dataset came with."""
    from mien.data.split import check_whole
    from mien.data.split_file import SplitFile

    if given is None:
        came = dataset.splits.tolist()
        division = SplitFile.of(dataset, came, "the splits the dataset came with")
    else:
        division = SplitFile.read(given)
    numbers = division.numbers(dataset)  # it must be a split of this dataset
    if keep is not None:
        check_whole(dataset, numbers, keep)
    return division


def _made(dataset: FaceDataset, how: _How) -> Division:
    from mien.data import division

    if how.folds is not None:
        return division.in_folds(dataset, how.folds, how.keep, how.seed)
    if how.test_per_class is not None:
        count = how.test_per_class
        return division.with_balanced_test(dataset, count, how.ratio, how.keep, how.seed)
    if how.val is not None:
        return division.with_val(dataset, how.val, how.keep, how.seed)
    return division.by_ratio(dataset, how.ratio, how.keep, how.seed)


def balance(
    source: Source,
    out: Out,
    at_most: Annotated[
        str | None,
        typer.Option("--at-most", help="Keep this many random faces of each class, or: smallest."),
    ] = None,
    at_least: Annotated[
        int | None,
        typer.Option(
            "--at-least",
            help="Repeat training faces until each class has this many in train; val and test stay"
            " as they are. Without splits all faces are training faces.",
        ),
    ] = None,
    seed: Seed = 0,
    votes: Votes = None,
    layout: Layout = None,
    names: Names = None,
    overwrite: Overwrite = False,
) -> None:
    """Make classes equal: leave out faces of common ones, repeat faces of rare ones."""
    if at_most is None and at_least is None:
        raise MienError("Nothing to do: give --at-most or --at-least.")
    check_out(out, overwrite)
    most = None if at_most in (None, SMALLEST) else _count(str(at_most))
    dataset = load(source, votes, layout, names)
    from mien.data.balance import at_least as repeat
    from mien.data.balance import at_most as cut

    if at_most is not None:
        dataset = cut(dataset, most, seed)
    if at_least is not None:
        dataset = repeat(dataset, at_least, seed)
    write(dataset, out)


def combine(
    sources: Annotated[list[Path], typer.Argument(help="Two or more datasets of one image size.")],
    out: Out,
    name: Annotated[str, typer.Option("--as", help="Name of the new dataset.")] = "combined",
    labels: Annotated[
        str | None, typer.Option("--labels", help="Bring all into this label set first.")
    ] = None,
    names: Names = None,
    overwrite: Overwrite = False,
) -> None:
    """Put datasets together; each face keeps its source, and its id and subject follow it."""
    if len(sources) < 2:
        raise MienError(f"Combining needs two or more datasets. Got {len(sources)} instead.")
    check_out(out, overwrite)
    wanted = None if labels is None else label_set(labels)
    from mien.data.balance import combine as join
    from mien.data.relabel import relabel

    datasets = [load(source, None, None, names) for source in sources]
    if wanted is not None:
        datasets = [relabel(dataset, wanted) for dataset in datasets]
    write(join(name, datasets), out)


def _fold_fits(fold: int | None, folds: int | None, given: Path | None, out: Path | None) -> None:
    if fold is not None and (out is None or (folds is None and given is None)):
        raise MienError("--fold goes with --out and --folds or --from.")


def _one_scheme(*schemes: object) -> None:
    if sum(scheme not in (None, False) for scheme in schemes) > 1:
        raise MienError(
            "Only one of --folds, --test-per-class, --val, --official and --from can be used."
        )


def _write_split(
    division: SplitFile, dataset: FaceDataset, fold: int | None, out: Path | None, save: Path | None
) -> None:
    changed = None if out is None else division.apply(dataset, fold)
    if save is not None:
        division.write(save)
        sizes = ", ".join(f"{name} {len(ids):,}" for name, ids in division.parts.items())
        say(f"Wrote {save}: {sizes}; fingerprint {division.fingerprint}")
    if changed is not None and out is not None:
        write(changed, out)


def _check_made(found: str, ratio: str | None, seed: int | None, otherwise: bool) -> None:
    """Check that what is said of a split that is made goes with none that is found.

    Args:
        found: The option by which it is found; "" if it is made.
        ratio: As given.
        seed: As given.
        otherwise: Whether it is made by another option than a ratio.
    """
    if ratio is not None and (found or otherwise):
        raise MienError(
            "--ratio makes a split: it goes with no --folds, --val, --official or --from."
        )
    if seed is not None and found:
        raise MienError(f"--seed is of a split that is made: it goes with no {found}.")


def _check_ratio(ratio: str, counts: tuple[int, int]) -> None:
    from mien.recipe.data import shares_of

    if len(shares_of(ratio)) not in counts:
        examples = {(2, 3): "80:20 or 80:18:2", (1, 2): "90:10, or 100 for no val"}[counts]
        raise MienError(f"--ratio must be like {examples}. Got {ratio!r} instead.")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise MienError(f"--at-most must be a number or {SMALLEST!r}. Got {text!r} instead.")
    return int(text)
