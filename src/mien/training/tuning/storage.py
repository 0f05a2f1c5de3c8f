"""Opening the study that several workers may share."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, OptunaError
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import RDBStorage
from optuna.study import Study
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from mien.data.dataset import FaceDataset
from mien.errors import MienError
from mien.recipe import Recipe
from mien.training.schedules import direction
from mien.training.tuning.space import Space

HEARTBEAT = 30
"""A worker says so often, in seconds, that it is alive; twice as long silent, it is dead."""

NEWER_KEYS = (("training", "convolutions"), ("optimiser", "sam"), ("data", "clean_splits"))
"""Tables and keys of a recipe that studies may have been begun without."""


def sqlite_url(path: Path) -> str:
    """Return the address of an SQLite file, whatever characters its path holds."""
    url = URL.create("sqlite", database=str(path.resolve())).render_as_string()
    # Optuna fills braces in.
    return url.replace("{", "{{").replace("}", "}}")


def open_study(
    url: str,
    name: str,
    recipe: Recipe,
    sampler: BaseSampler,
    pruner: BasePruner,
    heartbeat: int = HEARTBEAT,
) -> Study:
    """Open a study in a storage, or make it.

    Args:
        url: Of a database that SQLAlchemy knows, such as sqlite:///study.db.
        name: The study's.
        recipe: Its `training.select` is what the study makes best.
        sampler: Chooses values.
        pruner: Chooses what is given up.
        heartbeat: Seconds between two signs of life.

    Raises:
        MienError: If the storage cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.logging.disable_default_handler()
    patience = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    smallest = direction(recipe.training.select) == "min"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            storage = RDBStorage(url, engine_kwargs=patience, heartbeat_interval=heartbeat)
        return optuna.create_study(
            storage=storage,
            study_name=name,
            direction="minimize" if smallest else "maximize",
            sampler=sampler,
            pruner=pruner,
            load_if_exists=True,
        )
    except (SQLAlchemyError, OptunaError, ImportError, RuntimeError, ValueError) as error:
        # The address is left out: it may hold a password.
        reason = str(error).splitlines()[0].rstrip(".")
        raise MienError(f"The storage of study {name!r} cannot be opened: {reason}.") from error


def check_same(
    study: Study,
    recipe: Recipe,
    space: Space,
    choices: Mapping[str, str | int | bool],
    faces: FaceDataset,
) -> None:
    """Note what a new study is of, or check that an old one is of the same.

    Args:
        study: The study.
        recipe: What is trained.
        space: What is searched.
        choices: How, by name.
        faces: On what.

    Raises:
        MienError: If recipe, space, data or a choice are others; names which.
    """
    dimensions = {key: dimension.model_dump(mode="json") for key, dimension in space.items()}
    wanted = {
        "recipe": _digest(_content(recipe)),
        "space": _digest(dimensions),
        "data": faces.fingerprint,
        **choices,
    }
    found = study.user_attrs
    differ = [key for key, value in wanted.items() if found.get(key, value) != value]
    if differ:
        raise MienError(
            f"Study {study.study_name!r} was begun otherwise: {', '.join(differ)} differ; give"
            " another --study or --out."
        )
    for key, value in wanted.items():
        if key not in found:
            study.set_user_attr(key, value)


def _content(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe's content as a study without its newer keys has it, if they say nothing."""
    content = recipe.model_dump(mode="json")
    said = recipe.model_dump(mode="json", exclude_defaults=True)
    for table, key in NEWER_KEYS:
        if key not in said[table]:
            del content[table][key]
    return content


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()
