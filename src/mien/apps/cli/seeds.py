"""`mien train --seeds`: one recipe under several seeds, with mean and interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from mien.apps.cli.before_training import say_before
from mien.apps.cli.console import results, say
from mien.apps.cli.train import Given, interrupted, read_given
from mien.apps.cli.wanted_recipe import adapts
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.evaluation.seeds.figures import HeadOverSeeds
    from mien.evaluation.seeds.run import SeedsDone
    from mien.recipe import Recipe
    from mien.training.machine import Machine

SEEDED, DIVIDED_BY = "training.seed", "data.seed"
"""The keys that each seed sets; the second not where --set does."""


def train_seeds(
    recipe: Recipe, seeds: str, given: Given, folder: Path, machine: Machine, *, resume: bool
) -> None:
    """Train and measure the recipe once a seed, and report all of them together."""
    from mien.evaluation.seeds.run import over_seeds
    from mien.training.seeds import Seeds, begun_seeds

    numbers = _seeds_of(seeds, given.overrides)
    _check(folder, machine, resume=resume)
    kept = _kept_faces(folder)
    if kept is not None and adapts(recipe):
        given = given._replace(data=[kept], names=None)
    try:
        recipe, datasets = read_given(recipe, given, folder)
        plan = Seeds(recipe, datasets, numbers, one_division=_one_division(given.overrides))
        # What is to be said of one seed's faces is as good as that of the others'.
        say_before(recipe, plan.faces_of(numbers[0], progress=True))
        _report(over_seeds(plan, folder, resume=resume, machine=machine))
    except KeyboardInterrupt:
        raise interrupted(bool(begun_seeds(folder))) from None


def _seeds_of(text: str, overrides: Sequence[str]) -> tuple[int, ...]:
    """Return the seeds that --seeds lists, such as 0,4,9.

    Raises:
        MienError: If they are not two or more different seeds, or --set gives one, too.
    """
    from mien.training.seeds import check_seeds

    for override in overrides:
        if _key(override) == SEEDED:
            raise MienError(f"--set {override}: --seeds {text} sets this key, once a seed.")
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise MienError(
            f"--seeds must be whole numbers with commas between, such as 0,1,2. Got {text!r}."
        )
    numbers = tuple(map(int, parts))
    check_seeds(numbers)
    return numbers


def _one_division(overrides: Sequence[str]) -> bool:
    """Say whether --set gives the seed of the division, which then is that of all seeds."""
    return any(_key(override) == DIVIDED_BY for override in overrides)


def _key(override: str) -> str:
    return override.partition("=")[0].strip()


def _check(folder: Path, machine: Machine, *, resume: bool) -> None:
    """Check what can be checked before any data is read.

    Raises:
        MienError: If the folder holds something else, or several machines are to train.
    """
    from mien.training.seeds import check_place

    if machine.machines > 1 or not machine.leads:
        raise MienError(
            "--seeds trains one run after another from one process: it goes with --devices, and"
            " with no --machines or torchrun."
        )
    check_place(folder, resume=resume)


def _kept_faces(folder: Path) -> Path | None:
    """Return the faces that were cut out of photos for earlier seeds, None if none were."""
    from mien.data.store import is_store
    from mien.training.run import Run

    faces = Run(folder).faces
    return faces if any(folder.glob("seed-*")) and is_store(faces) else None


def _report(done: SeedsDone) -> None:
    """Write page, table and JSON; print the figures and what there is to know of them."""
    from mien.evaluation.seeds.page import BEGINS_ALIKE, left_out, write_seeds

    page = write_seeds(done)
    for head in done.heads:
        results.print(_table(head))
    for sentence in (left_out(done), BEGINS_ALIKE if done.begins_alike else ""):
        if sentence:
            say(sentence)
    say(f"Open {page}")


def _table(head: HeadOverSeeds) -> Table:
    from mien.evaluation.seeds.page import HEADER, figure_rows

    table = Table(title=escape(f"{head.name}, {head.split}: {len(head.seeds)} seeds"))
    for column in HEADER:
        table.add_column(column, justify="left" if column == HEADER[0] else "right")
    for metric, cells in figure_rows(head).items():
        table.add_row(metric.replace("_", " "), *cells)
    return table
