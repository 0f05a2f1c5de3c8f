"""One network, trained and measured."""

from __future__ import annotations

from typing import Any

from mien.data.dataset import FaceDataset
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.reproduction.kinds import KINDS
from mien.reproduction.measured import Measured, best_within, confused, predicted
from mien.reproduction.redraw import redrawn
from mien.training.run import Run
from mien.training.train import train


@KINDS.register("train")
def train_once(job: Job, bench: Bench) -> Measured:
    """Train the recipe; measure its best epoch on test and on val."""
    run, faces = _trained(job, bench)
    figures, table = predicted(run, faces)
    rest: dict[str, Any] = {"confusion": confused(table), "curve": best_within(run)}
    redraw = job.experiment.redraw
    if redraw is not None and not job.quick:
        rest["draws"] = redrawn(table, redraw.per_class, redraw.times, job.seed)
    return Measured((run,), faces, figures, rest, table)


def _trained(job: Job, bench: Bench) -> tuple[Run, FaceDataset]:
    """Return a job's run, trained to its end, and its faces.

    Raises:
        MienError: If the folder holds another recipe's run.
    """
    recipe, run = job.recipe(), Run(bench.folder(job))
    faces = bench.library.faces(recipe.data)
    begun = run.recipe_file.exists()
    train(recipe, faces, run.folder, resume=begun, progress=bench.progress)
    return run, faces
