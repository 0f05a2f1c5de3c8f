"""What a recipe is worth over several seeds: each trained, measured, and put beside the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from mien.data.dataset import FaceDataset
from mien.evaluation.judged import judged
from mien.evaluation.predictions_file import read_predictions
from mien.evaluation.report import evaluate_run, predictions_file
from mien.evaluation.review import PAGE, write_review
from mien.evaluation.seeds.figures import ALL, HeadOverSeeds, SeedFigures, read_figures
from mien.training.machine import Machine
from mien.training.run import Run
from mien.training.seeds import Seeds, begun_seeds, check_place, run_of, train_seed

EVALUATION = "evaluation"
"""In a seed's run: the report that `mien evaluate` makes, its page written last."""


@dataclass(frozen=True)
class SeedsDone:
    """A recipe that was trained and measured under all of its seeds.

    Args:
        plan: What was done.
        folder: Where the runs are.
        heads: The figures of each head.
        left_out: Seeds whose runs are in the folder and were not asked for.
    """

    plan: Seeds
    folder: Path
    heads: tuple[HeadOverSeeds, ...]
    left_out: tuple[int, ...] = ()

    @property
    def begins_alike(self) -> bool:
        """Whether all trainings begin with, or learn from, one finished network."""
        return self.plan.recipe.start is not None or self.plan.recipe.distillation is not None

    def report(self, seed: int) -> Path:
        """Return the page of a seed's own report."""
        return run_of(self.folder, seed).folder / EVALUATION / PAGE

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        return {
            "recipe": self.plan.recipe.name,
            "dataset": self.plan.recipe.data.dataset,
            "seeds": list(self.plan.numbers),
            "left_out": list(self.left_out),
            "how": self.plan.how,
            "heads": [head.as_dict() for head in self.heads],
        }


def over_seeds(
    plan: Seeds,
    folder: Path,
    *,
    resume: bool = False,
    progress: bool = True,
    machine: Machine | None = None,
) -> SeedsDone:
    """Train and measure seed by seed.

    Leaves the run of each seed in `seed-0` and so on, by its number, with the report of
    `mien evaluate` in its `evaluation`.

    Args:
        plan: What to do.
        folder: Where it goes.
        resume: Continue what was begun in `folder`: measured seeds are not trained again, the
            interrupted one goes on after its last finished epoch, and new ones are added.
        progress: Whether to show bars, and a line a seed.
        machine: On how many devices each is trained; one by default.

    Raises:
        MienError: If a seed cannot be trained, or `folder` holds something else, such as the runs
            of another recipe.
    """
    check_place(folder, resume=resume)
    console = Console(stderr=True, quiet=not progress, highlight=False)
    found = []
    for number, seed in enumerate(plan.numbers, start=1):
        console.print(f"Seed {seed}, {number} of {len(plan.numbers)}")
        run = train_seed(plan, seed, folder, progress=progress, machine=machine)
        faces = plan.faces_of(seed)
        _measure(run, faces, progress)
        found.append(read_figures(run, seed, faces))
        for figures in found[-1]:
            console.print(_line(figures), markup=False, soft_wrap=True)
    left_out = tuple(seed for seed in begun_seeds(folder) if seed not in plan.numbers)
    heads = tuple(HeadOverSeeds(seeds) for seeds in zip(*found))
    return SeedsDone(plan, folder, heads, left_out)


def _measure(run: Run, faces: FaceDataset, progress: bool) -> None:
    """Write what `mien evaluate` writes of a run, unless that was done."""
    folder = run.folder / EVALUATION
    if (folder / PAGE).exists():
        return
    names = [report.head.name for report in evaluate_run(run, faces)]
    tables = [read_predictions(predictions_file(run, name, "none")) for name in names]
    outputs = [judged(table, faces, metrics_file=run.metrics_file) for table in tables]
    write_review(outputs, folder, progress=progress)


def _line(seed: SeedFigures) -> str:
    accuracy = seed.figures[ALL]["accuracy"]
    return (
        f"Seed {seed.seed}: epoch {seed.epoch}, {seed.head.name}: accuracy {accuracy.within} on"
        f" {seed.images:,} faces of {seed.split}"
    )
