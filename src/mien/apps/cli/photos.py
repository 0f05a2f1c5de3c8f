"""What `mien train --from` does before training: photos become faces, the recipe fits them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mien.apps.cli.console import complain, say
from mien.apps.cli.data import MOST_SKIPPED, class_names, load
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.data.prepare.outcome import Outcome
    from mien.recipe import Recipe
    from mien.training.run import Run


def fitted(
    recipe: Recipe,
    data: Sequence[Path],
    votes: Path | None,
    names: Sequence[str] | None,
    run: Run,
) -> tuple[Recipe, FaceDataset]:
    """Return the recipe for fine-tuning its source on some data, and the data as faces.

    Raises:
        MienError: If the source or the data cannot be read.
    """
    from mien.training.source import open_source
    from mien.training.starting import adapted

    if recipe.start is None or len(data) != 1:
        raise MienError("Fine-tuning begins with one model and takes one --data.")
    source = open_source(recipe.start.source)
    faces = _faces(data[0], votes, names, run, source.recipe.preprocess.size)
    return adapted(recipe, source, faces), faces


def _faces(
    path: Path, votes: Path | None, names: Sequence[str] | None, run: Run, size: int
) -> FaceDataset:
    from mien.data.store import is_store
    from mien.training.photos import photos_to_prepare, prepared

    if run.recipe_file.exists() and is_store(run.faces):
        return load(run.faces, votes)
    found = photos_to_prepare(path, size, class_names(names))
    if found is None:
        return load(path, votes, names=names)
    run.check_free()
    dataset, outcomes = prepared(*found, run.faces, progress=True)
    _say(outcomes)
    say(f"The faces are in {run.faces}, {len(dataset):,} of {len(outcomes):,} photos.")
    return dataset


def _say(outcomes: Sequence[Outcome]) -> None:
    unreadable = [outcome.note for outcome in outcomes if outcome.status == "unreadable"]
    complain(unreadable, MOST_SKIPPED, "Left out: ", "yellow")
    without = Counter(outcome.status for outcome in outcomes)["no face"]
    if without:
        say(
            f"No face was found in {without:,} photos, which are left out;"
            " `mien data prepare` shows them."
        )
