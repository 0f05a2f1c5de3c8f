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
from mien.recipe.data import PARTS

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.data.split import Keep
    from mien.data.split_file import SplitFile

SMALLEST = "smallest"

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
    seed: Seed = 0,
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

    if out is None and save is None:
        raise MienError("Nothing to write: give --out for a store, --save for a split file.")
    _one_scheme(folds, test_per_class, val, official, given)
    if ratio is not None and (official or any(o is not None for o in (folds, val, given))):
        raise MienError(
            "--ratio makes a split: it goes with no --folds, --val, --official or --from."
        )
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
        how = _How(folds, test_per_class, val, ratio or "80:20", keeps or "twins", seed)
        division = _made(dataset, how)
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
        division = _division(dataset, came, "the splits the dataset came with")
    else:
        division = SplitFile.read(given)
    numbers = division.numbers(dataset)  # it must be a split of this dataset
    if keep is not None:
        check_whole(dataset, numbers, keep)
    return division


def _made(dataset: FaceDataset, how: _How) -> SplitFile:
    if how.folds is not None:
        return _folds(dataset, how.folds, how.keep, how.seed)
    if how.test_per_class is not None:
        return _balanced(dataset, how.test_per_class, how.ratio, how.keep, how.seed)
    if how.val is not None:
        return _val(dataset, how.val, how.keep, how.seed)
    return _by_ratio(dataset, how.ratio, how.keep, how.seed)


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


def _division(dataset: FaceDataset, names: list[str], how: str) -> SplitFile:
    from mien.data.split_file import SplitFile

    return SplitFile.of(dataset, names, how)


def _by_ratio(dataset: FaceDataset, ratio: str, keep: Keep, seed: int) -> SplitFile:
    from mien.data.split import divide

    shares = _shares(ratio, (2, 3))
    parts = divide(dataset, shares, keep, seed)
    how = f"split {ratio} with seed {seed}, keeping {keep} together"
    return _division(dataset, [PARTS[len(shares)][p] for p in parts], how)


def _balanced(dataset: FaceDataset, count: int, ratio: str, keep: Keep, seed: int) -> SplitFile:
    from mien.data.balance import balanced_test
    from mien.data.split import divide_rest

    shares = _shares(ratio, (1, 2))
    test = balanced_test(dataset, count, seed)
    parts = divide_rest(dataset, test, shares, keep, seed)
    names = ["test" if t else ("train", "val", "")[part] for t, part in zip(test, parts)]
    how = (
        f"{count} of each class as test, the rest train:val {ratio}, with seed {seed}, keeping"
        f" {keep} together: {names.count('')} left out"
    )
    return _division(dataset, names, how)


def _val(dataset: FaceDataset, share: float, keep: Keep, seed: int) -> SplitFile:
    from mien.data.split import val_of_train

    splits, bound = val_of_train(dataset, share, keep, seed)
    names = splits.tolist()
    how = f"{share:g} of train made val with seed {seed}, keeping {keep} together"
    if bound:
        how += f"; {bound} stayed in train for {keep} that are in test, too"
    if "" in names:
        how += f"; {names.count('')} without a split left out"
    return _division(dataset, names, how)


def _folds(dataset: FaceDataset, count: int, keep: Keep, seed: int) -> SplitFile:
    from mien.data.split import folds

    parts = folds(dataset, count, keep, seed)
    how = f"{count} folds with seed {seed}, keeping {keep} together"
    return _division(dataset, [str(part) for part in parts], how)


def _shares(ratio: str, counts: tuple[int, int]) -> list[float]:
    try:
        shares = [float(part) for part in ratio.split(":")]
    except ValueError:
        shares = []
    if len(shares) not in counts:
        examples = {(2, 3): "80:20 or 80:18:2", (1, 2): "90:10, or 100 for no val"}[counts]
        raise MienError(f"--ratio must be like {examples}. Got {ratio!r} instead.")
    return shares


def _count(text: str) -> int:
    if not text.isdecimal():
        raise MienError(f"--at-most must be a number or {SMALLEST!r}. Got {text!r} instead.")
    return int(text)
