"""A run: the folder that holds everything a training made, and everything needed to judge it."""

from __future__ import annotations

import csv
import pickle
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
import torch

from mien.card import Views
from mien.errors import MienError
from mien.files import read_json, whole_file, write_json
from mien.inference.gathered import partial_path
from mien.recipe import Recipe, load_recipe
from mien.training.schedules import direction

if TYPE_CHECKING:
    from mien.training.module import ExpressionModule

METRICS = "metrics.csv"
"""The file of a run's figures."""

LIBRARIES = ("mien", "torch", "lightning", "kornia", "numpy")


def report_name(views: Views) -> str:
    """Return the name of the report of a way to look at faces."""
    return f"{of_views('report', views)}.json"


def of_views(stem: str, views: Views) -> str:
    """Return what a file of a way to look at faces is called: "report-flip", or just "report"."""
    return stem if views == "none" else f"{stem}-{views}"


@dataclass(frozen=True)
class Run:
    """A run folder.

    Holds `recipe.toml` (resolved), `environment.json`, `data.json`, `metrics.csv`, `curves.png`
    and `checkpoints/best.ckpt` and `last.ckpt`; evaluation adds predictions and reports.
    """

    folder: Path

    @property
    def recipe_file(self) -> Path:
        """The recipe with every default and override filled in."""
        return self.folder / "recipe.toml"

    @property
    def metrics_file(self) -> Path:
        """One row of figures an epoch."""
        return self.folder / METRICS

    @property
    def curves(self) -> Path:
        """The figures of the epochs as a picture; drawn at the end."""
        return self.folder / "curves.png"

    @property
    def data_file(self) -> Path:
        """Which data it was: name, fingerprint, counts."""
        return self.folder / "data.json"

    @property
    def faces(self) -> Path:
        """The faces that were cut out of photos for this run; most runs have none."""
        return self.folder / "data"

    @property
    def environment_file(self) -> Path:
        """Where it was trained: versions of the libraries, precision, convolutions."""
        return self.folder / "environment.json"

    @property
    def best(self) -> Path:
        """The checkpoint of the best epoch."""
        return self.folder / "checkpoints" / "best.ckpt"

    @property
    def last(self) -> Path:
        """The checkpoint of the last finished epoch."""
        return self.folder / "checkpoints" / "last.ckpt"

    def recipe(self) -> Recipe:
        """Read the resolved recipe, without options that have no effect in it.

        Raises:
            RecipeError: If the folder is not a run.
        """
        return load_recipe(self.recipe_file, kept=True)

    def data(self) -> Any:
        """Read what the run says of its data.

        Raises:
            MienError: If the file is missing or damaged.
        """
        return read_json(self.data_file)

    def environment(self) -> Any:
        """Read where the run was trained.

        Raises:
            MienError: If the file is missing or damaged.
        """
        return read_json(self.environment_file)

    def best_epoch(self) -> dict[str, float]:
        """Return the figures of the epoch whose weights are kept, by name; none without an epoch.

        Of several that are equally good it is the first.
        """
        select = self.recipe().training.select
        sign = 1 if direction(select) == "max" else -1
        return max(self.epochs(), key=lambda row: sign * row[select], default={})

    def epochs(self) -> list[dict[str, float]]:
        """Return the figures of each epoch, by name; those that it has."""
        with self.metrics_file.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [{name: float(value) for name, value in row.items() if value} for row in rows]

    def epochs_logged(self) -> int:
        """Return how many epochs have figures; 0 before the first."""
        if not self.metrics_file.exists():
            return 0
        return len(self.metrics_file.read_text(encoding="utf-8").splitlines()) - 1

    def epochs_done(self) -> int:
        """Return how many epochs the last checkpoint has seen.

        Raises:
            MienError: If the checkpoint is damaged.
        """
        return int(_load(self.last)["epoch"]) + 1 if self.last.exists() else 0

    def stopped_early(self) -> bool:
        """Say whether early stopping ended the run before its last epoch.

        Raises:
            MienError: If the checkpoint is damaged.
        """
        return self.last.exists() and bool(_load(self.last)["stopped"])

    def is_finished(self) -> bool:
        """Say whether the run was trained to its end.

        Raises:
            RecipeError: If the folder is not a run.
            MienError: If the checkpoint is damaged.
        """
        return self.epochs_done() >= self.recipe().training.epochs or self.stopped_early()

    def check_finished(self) -> None:
        """Check that the run was trained to its end: later epochs would go by earlier figures.

        Raises:
            MienError: If it was not, or the folder is no run.
        """
        if not self.recipe_file.exists():
            raise MienError(f"{self.folder} is not a run: it holds no {self.recipe_file.name}.")
        if not self.is_finished():
            raise MienError(
                f"{self.folder} was not trained to the end: mien train with --resume goes on."
            )

    def keep_best_only(self) -> None:
        """Leave of the last checkpoint only what says how the run ended; the best epoch stays.

        Raises:
            MienError: If the checkpoint is damaged.
        """
        if self.last.exists():
            ended = _read(self.last)
            kept = {"state_dict": {}, "epoch": ended["epoch"], "callbacks": ended["callbacks"]}
            with whole_file(self.last) as path:
                torch.save(kept, path)

    def module(self) -> ExpressionModule:
        """Load the best epoch's weights, ready for evaluation on the CPU.

        Raises:
            MienError: If the run has no checkpoint yet, or one of another network.
        """
        # Lightning takes seconds to import; what only looks at a run's figures does without.
        from mien.training.module import ExpressionModule

        module = ExpressionModule(self.recipe())
        state = _load(self.best)["state_dict"]
        try:
            module.load_state_dict(state)
        except RuntimeError as error:
            raise MienError(f"{self.best} holds the weights of another network.") from error
        return module.eval()

    def temperatures(self, views: Views = "none") -> dict[str, float]:
        """Return the temperature that was fitted for each output; none before an evaluation.

        Args:
            views: What the network sees of a face.

        Raises:
            MienError: If the report is damaged.
        """
        report = self.folder / report_name(views)
        if not report.exists():
            return {}
        heads = [found["head"] for found in read_json(report)]
        return {head["name"]: float(head["temperature"]) for head in heads}

    def check_place(self) -> None:
        """Check that a training can write into the folder, or into others below it.

        Raises:
            MienError: If its path holds "::", by which Lightning's checkpoints would go elsewhere.
        """
        path = str(self.folder.resolve())
        if "::" in path:  # fsspec, by which Lightning writes, chains addresses with it
            raise MienError(f"A run's folder must be a path without '::'. Got {path} instead.")

    def check_free(self) -> None:
        """Check that a new run may use the folder: it is missing, empty or a start that was killed.

        Faces that were cut out for the run may be there.

        Raises:
            MienError: If it holds anything else, or cannot hold a run.
        """
        self.check_place()
        faces = {self.faces.name, partial_path(self.faces).name}
        own = {self.data_file.name, self.environment_file.name, *faces}
        if self.folder.is_dir():
            names = (path.name for path in self.folder.iterdir())
            foreign = [n for n in names if n not in own and not n.startswith(".")]
            if foreign:
                raise MienError(f"{self.folder} is not a run and not empty: it holds {foreign[0]}.")

    def write_start(
        self,
        recipe: Recipe,
        data: Mapping[str, Any],
        precision: str,
        convolutions: str = "direct",
    ) -> None:
        """Write what is known before the first step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = recipe.model_dump(mode="json", exclude_none=True)
        write_json(self.data_file, data)
        computed = {"precision": precision, "convolutions": convolutions}
        write_json(self.environment_file, _environment() | computed)
        # Last, because it is what makes the folder a run.
        with whole_file(self.recipe_file) as path:
            path.write_text(tomli_w.dumps(content), encoding="utf-8")


def _load(checkpoint: Path) -> dict[str, Any]:
    content = _read(checkpoint)
    stopped = any(
        0 < state.get("patience", 0) <= state.get("wait_count", 0)
        for state in content["callbacks"].values()
    )
    return content | {"stopped": stopped}


def _read(checkpoint: Path) -> dict[str, Any]:
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        return {key: content[key] for key in ("state_dict", "epoch", "callbacks")}
    except OSError as error:
        raise MienError(f"{checkpoint} cannot be opened: {error.strerror}.") from error
    except (RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError) as error:
        raise MienError(f"{checkpoint} is damaged or not a checkpoint of mien.") from error


def _environment() -> dict[str, Any]:
    versions = {library: metadata.version(library) for library in LIBRARIES}
    # Its own name says for what it was built ("+cpu", "+cu130"), which some wheels' does not.
    versions["torch"] = str(torch.__version__)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        "versions": versions,
    }
