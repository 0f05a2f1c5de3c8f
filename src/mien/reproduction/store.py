"""The folder of results: one JSON file a job, sorted by paper; beside some, their predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mien.errors import MienError
from mien.evaluation.predictions import Predictions
from mien.evaluation.predictions_file import read_predictions, write_predictions
from mien.files import read_json, sha256, write_json
from mien.recipe import parse_recipe
from mien.reproduction.job import Job
from mien.reproduction.result import Result


@dataclass(frozen=True)
class Store:
    """A folder of results.

    Args:
        folder: Holds `<paper>/<experiment>-<protocol>-seed<k>.json`, and `.parquet` of those whose
            predictions are kept.
        quick: Whether its results are quick ones; the two kinds are never mixed.
    """

    folder: Path
    quick: bool = False

    def path(self, job: Job) -> Path:
        """Return where a job's result goes."""
        return self.folder / f"{job.key}.json"

    def __contains__(self, job: Job) -> bool:
        return self.path(job).exists()

    def write(self, job: Job, result: Result, table: Predictions | None = None) -> None:
        """Keep a result, and the predictions that it is of."""
        if table is not None:
            write_predictions(table.lean(), self._table(job), single=True)
            result = result.model_copy(update={"predictions": sha256(self._table(job))})
        write_json(self.path(job), result.model_dump(mode="json", exclude_defaults=True))

    def read(self, job: Job) -> Result:
        """Read the result of a job.

        Raises:
            MienError: If there is none, it is damaged, is of the other kind, or was made by another
                recipe than the job's.
        """
        path = self.path(job)
        try:
            result = Result.model_validate(read_json(path))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or "the whole"
            raise MienError(f"{path} is not a result: {key}: {first['msg']}.") from error
        if result.quick != self.quick:
            kind = "a quick" if result.quick else "a full"
            raise MienError(f"{path} is {kind} result, which is not shown with the others.")
        _check_recipes(job, result, path)
        return result

    def predictions(self, job: Job) -> Predictions:
        """Read what a job's network predicts for val and test.

        Raises:
            MienError: If it was not kept, or is not what the job's result is of.
        """
        path, digest = self._table(job), self.read(job).predictions
        if not path.exists():
            raise MienError(
                f"{path} does not exist: move {self.path(job).name} away to train it again."
            )
        if sha256(path) != digest:
            raise MienError(
                f"{path} is not what {self.path(job).name} is of: move both away to train it again."
            )
        return read_predictions(path)

    def _table(self, job: Job) -> Path:
        return self.path(job).with_suffix(".parquet")


def _check_recipes(job: Job, result: Result, path: Path) -> None:
    """Check that a result is of the recipes that the job would train now."""
    for trained in job.members or (job,):
        content = result.recipe.get(trained.key)
        if content is None or parse_recipe(content, str(path)) != trained.recipe():
            raise MienError(
                f"{path} was made with another recipe than {trained.key} has now: move it and the"
                f" folder of its run away to run the experiment again."
            )
