"""Cross-validation: each face is judged once, by a network that did not learn from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data.balance import at_least
from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.split import Keep, Parts, check_whole, divide, folds
from mien.data.split_file import SplitFile
from mien.errors import MienError
from mien.recipe import DataPart, Recipe
from mien.training.run import Run
from mien.training.train import train

FOLDS = "folds.json"


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """A recipe and the faces it is cross-validated on, divided into folds.

    Args:
        recipe: What is trained on all folds but one.
        pool: The N faces of all folds, each once.
        numbers: (N,), the fold of each face, from 0.
        keep: What the validation share of a fold does not divide.
        seed: Of that share.
        how: How the folds were made.
        select_on_fold: Select the epoch on the fold that is judged, as some papers do. The figures
            are then of faces the network was selected on.
    """

    recipe: Recipe
    pool: FaceDataset
    numbers: Parts
    keep: Keep
    seed: int
    how: str
    select_on_fold: bool = False

    @property
    def count(self) -> int:
        """The number of folds, k."""
        return int(self.numbers.max()) + 1

    @property
    def judged(self) -> str:
        """The split that the held-out fold is in `faces_of`."""
        return "val" if self.select_on_fold else "test"

    @property
    def selection(self) -> str:
        """What the epoch is selected on, as a piece of a sentence."""
        if self.select_on_fold:
            return "epochs selected on the held-out fold"
        return (
            f"epochs selected on 1/{self.count} of the other folds, with seed {self.seed}, keeping"
            f" {self.keep} together"
        )

    def faces_of(self, fold: int) -> FaceDataset:
        """Return the faces for one fold's training.

        Its faces are the split "test", a share of 1/k of the others is "val" and the rest is
        "train"; where the fold itself selects, it is "val" and all others are "train".

        Raises:
            DataError: If the others cannot be divided without dividing what stays together.
        """
        splits = np.full(len(self.pool), "train", dtype="<U5")
        splits[self.numbers == fold] = self.judged
        if not self.select_on_fold:
            rest = np.flatnonzero(self.numbers != fold)
            shares = [self.count - 1.0, 1.0]
            chosen = divide(self.pool.select(rest), shares, self.keep, self.seed) == 1
            splits[rest[chosen]] = "val"
        step = f"fold {fold} of {self.count} is {self.judged}; {self.selection}"
        faces = dataclasses.replace(
            self.pool, splits=splits, history=(*self.pool.history, self.how, step)
        )
        return repeated(self.recipe.data, faces)

    def split_file(self) -> SplitFile:
        """Return the folds as a file to share."""
        names = [str(number) for number in self.numbers]
        return SplitFile.of(self.pool, names, f"{self.how}; {self.selection}")


def undivided(recipe: Recipe) -> Recipe:
    """Return a recipe that assembles each face once, and leaves test faces test faces."""
    once = unrepeated(recipe)
    # What the official splits divide, folds may still keep together.
    made_anew = recipe.data.shares or recipe.data.test_per_class
    keep = recipe.data.keep if made_anew else "twins"
    data = once.data.model_copy(update={"validate_on_test": False, "keep": keep})
    return once.model_copy(update={"data": data})


def unrepeated(recipe: Recipe) -> Recipe:
    """Return a recipe that assembles each face once; `repeated` then repeats training faces."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"at_least": 0})})


def repeated(part: DataPart, faces: FaceDataset) -> FaceDataset:
    """Repeat training faces as the recipe's `at_least` says, which comes after every division."""
    return at_least(faces, part.at_least, part.seed) if part.at_least else faces


def pool_of(dataset: FaceDataset, *, with_test: bool = False) -> FaceDataset:
    """Return the faces that cross-validation divides: labelled ones that are not the test's.

    Raises:
        MienError: If there is none.
    """
    inside = dataset.targets != NO_TARGET
    if not with_test:
        inside &= dataset.splits != "test"
    if not inside.any():
        raise MienError(
            f"Dataset {dataset.name!r} has no labelled face outside test to divide into folds."
        )
    aside = int((~inside).sum())
    return dataset.select(inside, f"{aside} test faces and faces without a label set aside")


def new_folds(
    recipe: Recipe,
    pool: FaceDataset,
    count: int,
    *,
    keep: Keep | None = None,
    seed: int = 0,
    select_on_fold: bool = False,
) -> CrossValidation:
    """Divide faces into folds of equal size, each class alike, as far as groups allow.

    Args:
        recipe: What will be trained.
        pool: The faces, as `pool_of` returns them.
        count: The number of folds.
        keep: What is not divided; by default what the recipe says.
        seed: Decides among equally good divisions.
        select_on_fold: Select on the held-out fold.

    Raises:
        DataError: If `count` is larger than the smallest class or the number of groups.
    """
    together = recipe.data.keep if keep is None else keep
    numbers = folds(pool, count, together, seed)
    how = f"{count} folds with seed {seed}, keeping {together} together"
    return CrossValidation(recipe, pool, numbers, together, seed, how, select_on_fold)


def given_folds(
    recipe: Recipe,
    dataset: FaceDataset,
    file: SplitFile,
    *,
    with_test: bool = False,
    keep: Keep | None = None,
    seed: int = 0,
    select_on_fold: bool = False,
) -> CrossValidation:
    """Take the folds that a file names; faces that it leaves out are left out.

    Raises:
        MienError: If the file has no folds, is of another dataset, names faces of the test, or
            divides what `keep` says is to stay together, or subjects that the recipe keeps.
    """
    if not file.has_folds or len(file.parts) < 2:
        raise MienError(
            "Cross-validation needs a split file of two or more folds. Got the parts"
            f" {', '.join(file.parts)} instead."
        )
    pool = pool_of(dataset, with_test=with_test)
    _check_aside(dataset, pool, [name for ids in file.parts.values() for name in ids])
    numbers = file.numbers(pool)
    together = recipe.data.keep if keep is None else keep
    if keep is not None or together == "subjects":
        check_whole(pool, numbers, together)
    inside = np.flatnonzero(numbers >= 0)
    return CrossValidation(
        recipe, pool.select(inside), numbers[inside], together, seed, file.how, select_on_fold
    )


def _check_aside(dataset: FaceDataset, pool: FaceDataset, wanted: Sequence[str]) -> None:
    aside = np.setdiff1d(np.intersect1d(dataset.ids, wanted), pool.ids)
    if len(aside):
        raise MienError(
            f"The split file puts {len(aside)} faces into folds that are set aside as test or have"
            f" no label, such as {str(aside[0])!r}: for test faces, add --with-test."
        )


def begin(plan: CrossValidation, folder: Path, *, resume: bool) -> None:
    """Write the folds into a new folder, or check that a begun one has the same.

    Raises:
        MienError: If `folder` holds a cross-validation and `resume` is off, none and it is on, one
            with other folds, or anything else, or its path cannot be that of runs.
    """
    Run(folder).check_place()
    file, path = plan.split_file(), folder / FOLDS
    if not path.exists():
        if resume:
            raise MienError(f"{folder} holds no cross-validation to resume.")
        foreign = next((p.name for p in folder.glob("*") if not p.name.startswith(".")), None)
        if foreign is not None:
            raise MienError(f"{folder} is no cross-validation and not empty: it holds {foreign}.")
        file.write(path)
        return
    if not resume:
        raise MienError(f"{folder} already holds a cross-validation: continue it with --resume.")
    begun = SplitFile.read(path)
    if begun != file:
        what = "the same folds made otherwise" if begun.parts == file.parts else "other folds"
        raise MienError(
            f"{folder} holds a cross-validation with {what} ({begun.how}). Got {file.how} instead."
        )


def train_fold(
    plan: CrossValidation,
    fold: int,
    faces: FaceDataset,
    folder: Path,
    *,
    progress: bool = True,
) -> Run:
    """Train on all folds but one, in a run folder of its own; continue where it was left.

    Raises:
        MienError: As `train` does.
    """
    run = Run(folder / f"fold-{fold}")
    begun = run.recipe_file.exists()
    recipe = plan.recipe.model_copy(update={"expected": ()})
    return train(recipe, faces, run.folder, resume=begun, progress=progress)
