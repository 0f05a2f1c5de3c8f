"""One recipe under several seeds: what each is trained with, on which faces, and where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mien.data.assemble import assemble
from mien.data.dataset import FaceDataset
from mien.errors import MienError
from mien.inference.gathered import partial_path
from mien.recipe import MOST_SEED, DataPart, Recipe
from mien.training.machine import Machine
from mien.training.run import Run
from mien.training.train import train

FEWEST = 2
"""Seeds that have a spread."""


@dataclass(frozen=True, eq=False)
class Seeds:
    """A recipe that is trained once a seed.

    Each seed is `training.seed`, of weights, order and augmentation, and `data.seed`, of what the
    data part draws and divides at random.

    Args:
        recipe: What is trained; the figures that it expects are of one seed.
        datasets: Those that its data part names, in any order.
        numbers: The seeds.
        one_division: Whether `data.seed` stays what the recipe says, for all of them.

    Raises:
        MienError: If there are fewer than two seeds, one is there twice, or is none.
    """

    recipe: Recipe
    datasets: Sequence[FaceDataset]
    numbers: tuple[int, ...]
    one_division: bool = False
    _assembled: dict[int | None, FaceDataset] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check_seeds(self.numbers)

    @property
    def draws_anew(self) -> bool:
        """Whether the faces, or their division, are other ones with each seed."""
        return not self.one_division and _draws(self.recipe.data)

    @property
    def how(self) -> str:
        """What a seed decides, as sentences."""
        weights = "Each seed is training.seed, of weights, order and augmentation"
        if self.one_division:
            return (
                f"{weights}; data.seed is {self.recipe.data.seed} for all, so that all are trained"
                " and judged on the same faces."
            )
        if self.draws_anew:
            return (
                f"{weights}, and data.seed: what the recipe draws or divides at random is other"
                " faces with each seed."
            )
        return f"{weights}. The recipe draws no faces at random: all seeds have the same ones."

    def recipe_of(self, seed: int) -> Recipe:
        """Return what is trained with a seed."""
        training = self.recipe.training.model_copy(update={"seed": seed})
        data = self.recipe.data
        if not self.one_division:
            data = data.model_copy(update={"seed": seed})
        return self.recipe.model_copy(update={"training": training, "data": data, "expected": ()})

    def faces_of(self, seed: int, *, progress: bool = False) -> FaceDataset:
        """Return the faces of a seed, with their splits; the last ones are kept at hand.

        Args:
            seed: One of the seeds.
            progress: Whether to show bars while faces are checked, which may take minutes.

        Raises:
            MienError: As `assemble` does.
        """
        key = seed if self.draws_anew else None
        if key not in self._assembled:
            self._assembled.clear()
            part = self.recipe_of(seed).data
            self._assembled[key] = assemble(part, self.datasets, progress=progress)
        return self._assembled[key]


def _draws(part: DataPart) -> bool:
    """Say whether a data part draws or divides faces by its seed."""
    return bool(part.at_most or part.shares or part.test_per_class or part.at_least)


def check_seeds(numbers: Sequence[int]) -> None:
    """Check that seeds are two or more different ones.

    Raises:
        MienError: If they are not, or one is out of range.
    """
    got = ",".join(map(str, numbers))
    if len(numbers) < FEWEST:
        raise MienError(
            "Seeds must be two or more, such as 0,1,2: one alone has no interval."
            f" Got {got or 'none'}."
        )
    twice = next((n for n in numbers if numbers.count(n) > 1), None)
    if twice is not None:
        raise MienError(f"Seeds must each be there once. Got {twice} twice in {got}.")
    wrong = next((n for n in numbers if not 0 <= n <= MOST_SEED), None)
    if wrong is not None:
        raise MienError(f"A seed must be from 0 to {MOST_SEED}. Got {wrong} instead.")


def run_of(folder: Path, seed: int) -> Run:
    """Return the run of a seed in a folder of seeds."""
    return Run(folder / f"seed-{seed}")


def begun_seeds(folder: Path) -> list[int]:
    """Return the seeds whose runs a folder holds, finished or not."""
    names = (re.fullmatch(r"seed-(\d+)", path.name) for path in folder.glob("seed-*"))
    seeds = sorted(int(name[1]) for name in names if name)
    return [seed for seed in seeds if run_of(folder, seed).recipe_file.exists()]


def check_place(folder: Path, *, resume: bool) -> None:
    """Check that a folder is free for the runs of seeds, or that it holds some to go on with.

    Faces that were cut out for all of them may be there.

    Raises:
        MienError: If it holds such runs and `resume` is off, none and it is on, or anything else,
            or its path cannot be that of runs.
    """
    Run(folder).check_place()
    if begun_seeds(folder):
        if not resume:
            raise MienError(f"{folder} already holds runs of seeds: continue them with --resume.")
        return
    if resume:
        raise MienError(f"{folder} holds no runs of seeds to resume.")
    faces = Run(folder).faces
    own = (faces.name, partial_path(faces).name)
    names = (path.name for path in folder.glob("*") if not path.name.startswith((".", "seed-")))
    foreign = next((name for name in sorted(names) if name not in own), None)
    if foreign is not None:
        raise MienError(
            f"{folder} is no folder of seeds and not empty: it holds {foreign}. Give another one"
            " with --run."
        )


def train_seed(
    plan: Seeds,
    seed: int,
    folder: Path,
    *,
    progress: bool = True,
    machine: Machine | None = None,
) -> Run:
    """Train the recipe with a seed, in a run folder of its own; continue where it was left.

    Raises:
        MienError: As `train` does.
    """
    run = run_of(folder, seed)
    return train(
        plan.recipe_of(seed),
        plan.faces_of(seed, progress=progress),
        run.folder,
        resume=run.recipe_file.exists(),
        progress=progress,
        machine=machine,
    )
