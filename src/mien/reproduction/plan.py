"""The plan of a paper: its experiments, as data."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from mien.errors import RecipeError, unknown_name
from mien.recipe.part import Part
from mien.reproduction.protocols import Protocol

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NEEDS = {"train": "recipe", "crossval": "folds", "grid": "space", "average": "members"}
"""What each kind of experiment must name."""


class Member(Part):
    """A network that an average is made of: an experiment of some paper under a seed."""

    paper: str
    experiment: str
    seed: int = 0


class Redraw(Part):
    """Small tests drawn again and again: so many faces of each class, so many times."""

    per_class: int = Field(ge=1)
    times: int = Field(ge=2)


class Experiment(Part):
    """One experiment of a paper.

    Args:
        name: Unique in its plan; also the name of its result files.
        title: What the page calls it.
        kind: "train" one network; "crossval" over `folds`; "grid" over the values of `space`;
            "average" the networks of `members`.
        recipe: A shipped recipe; its expected figures are the paper's.
        overrides: Of the recipe, such as `data.dataset="fer2013+ckplus48"`.
        protocols: What it is run under.
        seeds: Of weights, order and division; by protocol in `seeds_of`, where they differ.
        minutes: Of one seed on 2 idle cores, about.
        folds: For "crossval".
        space: A shipped search space, for "grid".
        members: For "average".
        redraw: Small tests to draw from what a "train" experiment predicts.
        headline: Whether it stands in the page's summary.
        by_class: Whether the page shows the recall of each expression.
        altered: Whether it departs from the paper on purpose, so that it reproduces nothing.
        note: What a reader must know of it. `{honest:EXPERIMENT}`, `{paper:EXPERIMENT}` and
            `{leaky:EXPERIMENT}` stand for the measured accuracy, of the split that the paper
            reports first, or that is named: `{paper:EXPERIMENT:test}`.
    """

    name: str
    title: str
    kind: Literal["train", "crossval", "grid", "average"] = "train"
    recipe: str = ""
    overrides: tuple[str, ...] = ()
    protocols: tuple[Protocol, ...] = Field(default=("paper", "honest"), min_length=1)
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    seeds_of: Mapping[Protocol, tuple[int, ...]] = Field(default_factory=dict)
    minutes: float = Field(gt=0)
    folds: int = Field(default=0, ge=0)
    space: str = ""
    members: tuple[Member, ...] = ()
    redraw: Redraw | None = None
    headline: bool = False
    by_class: bool = False
    altered: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Experiment:
        if not getattr(self, NEEDS[self.kind]):
            raise ValueError(f"An experiment of kind {self.kind!r} needs {NEEDS[self.kind]}")
        return self


class Plan(Part):
    """What of a paper is run.

    Args:
        title: What the page calls the paper.
        about: What its authors did, a paragraph.
        experiments: In the order of the page.
        discussion: What came out, a paragraph; placeholders as in a note.
        chosen: What was chosen where the paper is silent, and what of it is not compared.
    """

    title: str
    about: str
    experiments: tuple[Experiment, ...]
    discussion: str = ""
    chosen: str = ""

    @property
    def source(self) -> str:
        """The title without what it is about: who and when."""
        return self.title.partition(":")[0]

    def experiment(self, name: str) -> Experiment:
        """Return an experiment by name.

        Raises:
            RecipeError: If there is none; says which is nearest.
        """
        for experiment in self.experiments:
            if experiment.name == name:
                return experiment
        raise RecipeError(unknown_name("experiment", name, [e.name for e in self.experiments]))


Plans = Mapping[str, Plan]
"""Plans by the paper's short name."""


def shipped_plans() -> dict[str, Plan]:
    """Return the plans that come with the package, in the order of the page."""
    folder = Path(str(resources.files("mien") / "recipes" / "papers"))
    return {path.stem: load_plan(path) for path in sorted(folder.glob("*.toml"))}


def load_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        RecipeError: If it is not TOML, or a key or a value does not fit.
    """
    try:
        return Plan.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path} cannot be read: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise RecipeError(f"{path}: {key}: {first['msg']}.") from error
