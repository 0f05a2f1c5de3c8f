"""The folder of results: one JSON file a job, sorted by paper; beside some, their predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
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

    def done(self, job: Job) -> bool:
        """Return whether nothing is left to run of a job: what it must keep is there, too."""
        return job in self and (not job.kept or self._table(job).exists())

    def write(self, job: Job, result: Result, table: Predictions | None = None) -> None:
        """Keep a result, and the predictions that it is of."""
        if table is not None:
            lean = replace(table, measures={})
            write_predictions(lean, self._table(job), single_precision=True)
            result = result.model_copy(update={"predictions": sha256(self._table(job))})
        write_json(self.path(job), result.model_dump(mode="json", exclude_defaults=True))

    def read(self, job: Job) -> Result:
        """Read the result of a job.

        Raises:
            MienError: If there is none, it is damaged, is of the other kind, or was made by another
                recipe than the job's; of an average, if it was made of other predictions than its
                members have now.
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
        self._check_members(job, result, path)
        return result

    def kept(self, job: Job) -> tuple[Result, Predictions]:
        """Read a job's result and what its network predicts for val and test.

        Raises:
            MienError: If there is no result, or the predictions are not what it is of.
        """
        if not self.done(job):
            raise MienError(f"{job.key} has no result with predictions, which an average needs.")
        path, result = self._table(job), self.read(job)
        if sha256(path) != result.predictions:
            raise MienError(
                f"{path} is not what {self.path(job).name} is of: move it away and run {job.key}"
                " again."
            )
        return result, read_predictions(path)

    def _check_members(self, job: Job, result: Result, path: Path) -> None:
        for member in job.members:
            made_of = result.made_of.get(member.key, "")
            if member in self and self.read(member).predictions != made_of:
                raise MienError(
                    f"{path} was made of other predictions than {member.key} has now: move it away"
                    " to average them again."
                )

    def _table(self, job: Job) -> Path:
        return self.path(job).with_suffix(".parquet")


def _check_recipes(job: Job, result: Result, path: Path) -> None:
    """Check that a result is of the recipes that the job would train now."""
    for trained in job.members or (job,):
        content = result.recipe.get(trained.key)
        if content is None or parse_recipe(content, str(path)) != trained.recipe():
            raise MienError(
                f"{path} was made with another recipe than {trained.key} has now: move it away, and"
                " the folder of that run, to run the experiment again."
            )
