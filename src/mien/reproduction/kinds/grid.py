"""Many values of a recipe's keys, compared on validation."""

from __future__ import annotations

from pathlib import Path

from mien.errors import TrainingError
from mien.recipe import find_space
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.reproduction.kinds import KINDS
from mien.reproduction.measured import Measured, best_within, confused, predicted
from mien.reproduction.result import Trial
from mien.training.cross_validation import unrepeated
from mien.training.run import Run
from mien.training.tuning.records import Record
from mien.training.tuning.space import read_space
from mien.training.tuning.tune import Search, tune

QUICK_TRIALS = 2


@KINDS.register("grid")
def grid_search(job: Job, bench: Bench) -> Measured:
    """Train every combination of the space; measure the best on validation once on test.

    Raises:
        TrainingError: If no combination could be trained.
    """
    recipe, folder = job.recipe(), bench.folder(job)
    faces = bench.library.faces(unrepeated(recipe).data)
    space = read_space(find_space(Path(job.experiment.space)), recipe)
    search = Search("grid", trials=QUICK_TRIALS if job.quick else None)
    tuned = tune(recipe, faces, space, folder, search, progress=bench.progress)
    if tuned.best is None:
        raise TrainingError(f"No trial of {job.key} could be trained: {tuned.counts()}.")
    runs = {record.number: _run(folder, record) for record in tuned.records}
    best = runs[tuned.best.number]
    figures, table = predicted(best, faces)
    trials = tuple(_trial(record, runs[record.number]) for record in tuned.records)
    rest = {"confusion": confused(table), "curve": best_within(best), "trials": trials}
    # The best comes first: its network and environment are put on record.
    others = (run for run in runs.values() if run != best and run.metrics_file.exists())
    return Measured((best, *others), faces, figures, rest, table)


def _run(folder: Path, record: Record) -> Run:
    return Run(folder / "trials" / f"{record.number:04d}")


def _trial(record: Record, run: Run) -> Trial:
    return Trial(
        values=record.values,
        value=record.value,
        epochs=record.epochs,
        after=best_within(run) if run.metrics_file.exists() else {},
    )
