"""The folder of results: one JSON file a job, sorted by paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mien.errors import MienError
from mien.files import read_json, write_json
from mien.recipe import parse_recipe
from mien.reproduction.job import Job
from mien.reproduction.result import Result


@dataclass(frozen=True)
class Store:
    """A folder of results.

    Args:
        folder: Holds `<paper>/<experiment>-<protocol>-seed<k>.json`.
        quick: Whether its results are quick ones; the two kinds are never mixed.
    """

    folder: Path
    quick: bool = False

    def path(self, job: Job) -> Path:
        """Return where a job's result goes."""
        return self.folder / f"{job.key}.json"

    def __contains__(self, job: Job) -> bool:
        return self.path(job).exists()

    def write(self, job: Job, result: Result) -> None:
        """Keep a result."""
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


def _check_recipes(job: Job, result: Result, path: Path) -> None:
    """Check that a result is of the recipes that the job would train now."""
    for trained in job.members or (job,):
        content = result.recipe.get(trained.key)
        if content is None or parse_recipe(content, str(path)) != trained.recipe():
            raise MienError(
                f"{path} was made with another recipe than {trained.key} has now: move it and the"
                f" folder of its run away to run the experiment again."
            )
