"""Searching the values of a recipe's keys that are best on validation."""

from __future__ import annotations

import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.exceptions import ExperimentalWarning, OptunaError, StorageInternalError
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.storages import fail_stale_trials
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from mien.data.dataset import FaceDataset
from mien.errors import BusyError, MienError, TrainingError
from mien.recipe import MOST_SEED, Recipe
from mien.training.beginning import is_training
from mien.training.cross_validation import repeated
from mien.training.faces import check_faces
from mien.training.run import Run
from mien.training.train import train
from mien.training.tuning.bar import StudyBar
from mien.training.tuning.comparable import check_selection
from mien.training.tuning.importance import importances
from mien.training.tuning.records import Record, best_of, records
from mien.training.tuning.report import Tuned, write_report
from mien.training.tuning.samplers import SamplerName, build_sampler
from mien.training.tuning.slots import (
    REASON,
    SpareError,
    claim,
    queue,
    running,
    slots,
    waiting,
)
from mien.training.tuning.space import Space, grid_of, with_values
from mien.training.tuning.storage import HEARTBEAT, check_same, open_study, sqlite_url
from mien.training.tuning.watching import Watch, report_again

TRIALS = 50
"""Trials of a search that could go on for ever."""

STARTUP = 5
"""Trials that are trained to the end before any is given up."""


class _FailedError(Exception):
    """A trial that failed; its sentence is kept."""


@dataclass(frozen=True)
class Search:
    """How a space is searched.

    Args:
        sampler: "grid" for all combinations, "random", or "tpe" for the tree-structured Parzen
            estimator (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011).
        trials: How many combinations are tried, over all workers; None for all of a grid, 50 of the
            others. Those that failed for a reason of their own count.
        prune: Give up a trial whose best figure so far is worse than the median of the others after
            as many epochs. None for all samplers but the grid.
        seed: Of the choices; a trial's depend on it, its number and the trials before.
        storage: The database that workers share; None for SQLite in the folder.
        study: The study's name there; None for the recipe's.
        heartbeat: A worker that gave no sign of life for twice so many seconds is dead.

    Raises:
        MienError: If there is nothing to try, or the seed is none.
    """

    sampler: SamplerName = "tpe"
    trials: int | None = None
    prune: bool | None = None
    seed: int = 0
    storage: str | None = None
    study: str | None = None
    heartbeat: int = HEARTBEAT

    def __post_init__(self) -> None:
        if self.trials is not None and self.trials < 1:
            raise MienError(f"The number of trials must be 1 or more. Got {self.trials} instead.")
        if not 0 <= self.seed <= MOST_SEED:
            raise MienError(f"A seed must be from 0 to {MOST_SEED}. Got {self.seed} instead.")

    @property
    def prunes(self) -> bool:
        """Whether trials are given up."""
        return self.sampler != "grid" if self.prune is None else self.prune

    @property
    def choices(self) -> dict[str, str | int | bool]:
        """What decides which values are tried, and for how long."""
        drawn = {} if self.sampler == "grid" else {"seed": self.seed}
        return {"sampler": self.sampler, "pruning": self.prunes, **drawn}

    def sentence(self, recipe: Recipe) -> str:
        """Return how a recipe is searched, as a piece of a sentence."""
        pruning = "with median pruning" if self.prunes else "without pruning"
        name = self.study or recipe.name
        return f"Study {name}, sampler {self.sampler} with seed {self.seed}, {pruning}"

    def pruner(self, recipe: Recipe) -> BasePruner:
        """Return what gives trials up; the first fifth of the epochs says nothing yet."""
        if not self.prunes:
            return NopPruner()
        spared = max(1, recipe.training.epochs // 5)
        return MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=spared + 1)


def tune(
    recipe: Recipe,
    dataset: FaceDataset,
    space: Space,
    folder: Path,
    search: Search | None = None,
    *,
    progress: bool = True,
) -> Tuned:
    """Train a recipe with different values; report what became of each trial.

    The same call continues an interrupted search and joins one that runs: workers share the study's
    storage. Nothing but the best epoch's `training.select` decides, and test is not looked at. Each
    trial is a run in `folder/trials`, whose recipe, figures and curves are kept; of weights, only
    those of the best trial's best epoch. Leaves `tuning.html`, `trials.csv` and `best.toml`.

    Args:
        recipe: What is trained.
        dataset: Faces with the splits "train" and "val", assembled without repeats.
        space: What is searched, as `read_space` returns it.
        folder: Where the trials go.
        search: How.
        progress: Whether to show a bar and a line per trial.

    Returns:
        The search as far as it is, with the trials of all workers.

    Raises:
        MienError: If the storage or the folder holds something else, the folder's path cannot be
            that of runs, the recipe validates on its test faces, or does not fit the faces whatever
            the values.
        OSError: If a trial's files cannot be written; the same call tries it again.
    """
    search = search or Search()
    check_selection(recipe)
    if not any(key.startswith(("heads", "preprocess")) for key in space):
        check_faces(recipe, dataset)
    Run(folder).check_place()
    grid = grid_of(space, "The search space") if search.sampler == "grid" else None
    url = search.storage or sqlite_url(folder / "study.db")
    folder.mkdir(parents=True, exist_ok=True)
    study = open_study(
        url,
        search.study or recipe.name,
        recipe,
        build_sampler(search.sampler, search.seed),
        search.pruner(recipe),
        search.heartbeat,
    )
    check_same(study, recipe, space, search.choices, dataset)
    _check_trials(study, folder)
    worker = _Worker(recipe, dataset, space, folder, search, study, grid)
    worker.work(progress)
    done = records(study, space)
    tuned = Tuned(
        recipe,
        space,
        tuple(done),
        best_of(done, study),
        importances(study),
        search.sentence(recipe),
    )
    write_report(tuned, folder)
    return tuned


def _check_trials(study: Study, folder: Path) -> None:
    if not study.get_trials(deepcopy=False) and any((folder / "trials").glob("*")):
        raise MienError(f"{folder / 'trials'} holds the trials of another study.")


class _Worker:
    """Tries one combination after the other until all are tried."""

    def __init__(
        self,
        recipe: Recipe,
        dataset: FaceDataset,
        space: Space,
        folder: Path,
        search: Search,
        study: Study,
        grid: list[dict[str, Any]] | None,
    ) -> None:
        self._recipe = recipe
        self._dataset = dataset
        self._space = space
        self._folder = folder
        self._search = search
        self._study = study
        most = len(grid) if grid is not None else TRIALS
        self._goal = min(search.trials or most, most) if grid is not None else search.trials or most
        self._attempt: int | None = None
        self._grid = [
            {key: space[key].stored(value) for key, value in values.items()}
            for values in (grid or [])[: self._goal]
        ]

    def work(self, progress: bool) -> None:
        """Try until nothing is left that no worker has."""
        with StudyBar(self._goal, self._recipe.training.epochs, show=progress) as bar:
            while self._more(bar):
                bar.tried(self._tried())
                self._try_one(bar)
            bar.tried(self._tried())

    def _try_one(self, bar: StudyBar) -> None:
        self._attempt = None
        try:
            self._study.optimize(
                lambda trial: self._objective(trial, bar.epoch),
                n_trials=1,
                catch=(_FailedError, SpareError),
                callbacks=[lambda study, trial: self._after(trial, bar)],
            )
        except StorageInternalError as error:
            raise TrainingError(
                f"The study's database cannot be used any more: {error}; the same command goes on"
                " once it can."
            ) from error
        except (AssertionError, ValueError, OptunaError):
            if not self._ended_by_another():
                raise

    def _ended_by_another(self) -> bool:
        """Say whether another worker took this one for dead and ended its trial, queued again."""
        trials = self._study.get_trials(deepcopy=False)
        return any(t.number == self._attempt and t.state.is_finished() for t in trials)

    def _more(self, bar: StudyBar) -> bool:
        """Say whether there is something to try; wait for workers that may be dead."""
        deadline = time.monotonic() + 2 * self._search.heartbeat + 1
        while True:
            busy = len(running(self._study)) + len(self._requeue())
            if waiting(self._study) or (not self._grid and self._tried() + busy < self._goal):
                return True
            if not busy or time.monotonic() > deadline:
                return False
            bar.waiting(busy)
            time.sleep(0.5)

    def _requeue(self) -> list[int]:
        """Queue what is to be tried; return the slots that a worker has that was taken for dead."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            fail_stale_trials(self._study)
        return queue(self._study, self._grid, lambda number: is_training(self._run(number)))

    def _run(self, number: int) -> Run:
        return Run(self._folder / "trials" / f"{number:04d}")

    def _tried(self) -> int:
        return sum(slot.ended for slot in slots(self._study).values())

    def _objective(self, trial: Trial, seen: Callable[[int, int], None]) -> float:
        self._attempt = trial.number
        number = claim(self._study, trial, grid=bool(self._grid))
        values = {key: dim.suggest(trial, key) for key, dim in self._space.items()}
        try:
            return self._trained(trial, number, values, seen)
        except OptunaError:  # a trial that is given up, or a storage that is lost
            raise
        except BusyError as error:  # by a worker that was taken for dead
            raise SpareError from error
        except OSError:  # a full disk is no fault of the values, which are tried again
            raise
        except Exception as error:
            # PyTorch and Kornia have many for values that do not fit; the other trials go on.
            reason = (str(error) or type(error).__name__).splitlines()[0]
            trial.set_user_attr(REASON, reason)
            raise _FailedError(reason) from error

    def _trained(
        self, trial: Trial, number: int, values: dict[str, Any], seen: Callable[[int, int], None]
    ) -> float:
        if self._ended_by_another():  # taken for dead before it began, and perhaps done by now
            raise SpareError
        recipe = with_values(self._recipe, values, f"Trial {number}")
        run, select = self._run(number), recipe.training.select
        begun = run.recipe_file.exists()
        report_again(trial, run, select)
        train(
            recipe,
            repeated(recipe.data, self._dataset),
            run.folder,
            resume=begun,
            progress=False,
            callbacks=[Watch(trial, select, lambda epoch: seen(number, epoch))],
        )
        return run.best_epoch()[select]

    def _after(self, trial: FrozenTrial, bar: StudyBar) -> None:
        self._attempt = None
        done = records(self._study, self._space)
        record = next((r for r in done if r.attempt == trial.number), None)
        if record is not None:
            bar.line(record, best_of(done, self._study), self._recipe.training.select)
        self._tidy(done)

    def _tidy(self, done: list[Record]) -> None:
        """Remove the weights of all trials that are over, but the best epoch's of the best."""
        best = best_of(done, self._study)
        for record in done:
            run = self._run(record.number)
            if not record.ended:
                continue
            if record == best:
                run.keep_best_only()
            else:
                shutil.rmtree(run.best.parent, ignore_errors=True)
