"""Where a training begins: in a new run's folder, or after the last epoch of the run in it."""

from __future__ import annotations

from dataclasses import asdict

from mien.data.dataset import FaceDataset
from mien.errors import MienError
from mien.recipe import Recipe
from mien.sole import Sole, is_taken
from mien.training.faces import head_gaps
from mien.training.precision import convolutions_of
from mien.training.run import Run

LOCK = ".training.lock"
"""In a run's folder while it is trained in."""


def sole_training(run: Run) -> Sole:
    """Return the right to train in a run's folder.

    Raises:
        BusyError: If another process trains there.
    """
    return Sole(
        run.folder / LOCK,
        f"{run.folder} is being trained in by another process: wait until that has ended, or give"
        " another folder.",
    )


def is_training(run: Run) -> bool:
    """Say whether a process trains in a run's folder."""
    return is_taken(run.folder / LOCK)


def check_begin(
    run: Run,
    recipe: Recipe,
    dataset: FaceDataset,
    faces: FaceDataset,
    *,
    resume: bool,
) -> None:
    """Check that a folder is free for a run, or that the run in it is the same and can go on.

    Args:
        run: The folder.
        recipe: What to train.
        dataset: All faces.
        faces: Those to train on.
        resume: Whether a run is to be gone on with.

    Raises:
        MienError: If there is a run and `resume` is off, or the other way round, or it is of
            another recipe or of other data; or if its path cannot be that of a run.
    """
    run.check_place()
    if run.recipe_file.exists():
        if not resume:
            raise MienError(f"{run.folder} already holds a run: continue it with --resume.")
        _check_same(run, recipe, _data(recipe, dataset, faces))
    elif resume:
        raise MienError(f"{run.folder} holds no run to resume.")
    else:
        run.check_free()


def begin(
    run: Run,
    recipe: Recipe,
    precision: str,
    convolutions: str,
    dataset: FaceDataset,
    faces: FaceDataset,
) -> None:
    """Write what is known before the first step, unless the run was begun before.

    Args as of `check_begin`; `precision` and `convolutions` as `run_precision` and
    `run_convolutions` say.
    """
    if not run.recipe_file.exists():
        run.write_start(recipe, _data(recipe, dataset, faces), precision, convolutions)


def last_epoch(run: Run) -> str | None:
    """Return the checkpoint of a run's last epoch, if there is one."""
    return str(run.last) if run.last.exists() else None


def run_precision(run: Run, chosen: str) -> str:
    """Return in which precision a run computes: to its end as it began, on any machine.

    Args:
        run: Its folder, which `check_begin` found right.
        chosen: What a new run of the recipe would compute in here.

    Raises:
        MienError: If the file of the run that says how it began is missing or damaged.
    """
    return str(run.environment()["precision"]) if run.recipe_file.exists() else chosen


def run_convolutions(run: Run, recipe: Recipe, precision: str) -> str:
    """Return how a run computes convolutions: to its end as it began, in rounding, too."""
    if run.recipe_file.exists() and recipe.training.convolutions == "auto":
        # Runs of versions that had no choice do not say.
        return str(run.environment().get("convolutions", "direct"))
    return convolutions_of(recipe, precision)


def _check_same(run: Run, recipe: Recipe, data: dict[str, object]) -> None:
    begun_with = run.recipe()
    parts = [
        part
        for part in type(recipe).model_fields
        # What is expected trains nothing.
        if part != "expected" and getattr(begun_with, part) != getattr(recipe, part)
    ]
    if parts:
        raise MienError(f"{run.folder} holds a run of another recipe: {', '.join(parts)} differ.")
    begun_on = run.data()
    # The epochs are selected on the other faces.
    if any(begun_on[key] != data[key] for key in ("trained_on", "fingerprint")):
        raise MienError(f"{run.folder} holds a run on other data: the fingerprints differ.")


def _data(recipe: Recipe, dataset: FaceDataset, faces: FaceDataset) -> dict[str, object]:
    return {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "fingerprint_without_votes": dataset.without_votes.fingerprint,
        "history": list(dataset.history),
        "counts": dataset.counts(),
        "trained_on": {"faces": len(faces), "fingerprint": faces.fingerprint},
        "heads": {name: asdict(gap) for name, gap in head_gaps(recipe, faces).items()},
    }
