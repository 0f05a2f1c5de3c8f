"""Where the tests find real data, and what happens on a machine without it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import matplotlib
import pytest
from hypothesis import settings

import makers
from mien.apps.cli.main import main
from mien.data.dataset import FaceDataset
from mien.data.readers import read_dataset
from mien.data.votes import join_votes
from mien.inference.zoo import model_path
from mien.recipe import find_recipe, load_recipe

# What trains is imported where it is used: most tests run without a training framework, too.
if TYPE_CHECKING:
    from mien.training.run import Run

REPOSITORY = Path(__file__).parents[1]

# Tables and sentences are as wide as at the first import of rich, whichever test that is in.
os.environ["COLUMNS"] = "200"

# No times in tests; and what fails in CI fails again at home.
settings.register_profile("mien", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mien")


class Outcome(NamedTuple):
    """How a run of the program ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def mien(monkeypatch, capsys):
    """Run the program in this process; returns exit code and both outputs."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mien", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Outcome(code, *capsys.readouterr())

    return run


def _folder(name: str) -> Path:
    data = Path(os.environ.get("MIEN_DATA", REPOSITORY.parent / "shared" / "data"))
    folder = data if name == "data" else data.parent / name
    if folder.is_dir():
        return folder
    reason = f"no folder {folder}: set MIEN_DATA to the folder that holds fer2013/ and ckplus/"
    if os.environ.get("MIEN_REQUIRE_DATA"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with fer2013/ and ckplus/."""
    return _folder("data")


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """The folder with the photos and clips for end-to-end tests."""
    return _folder("media")


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The folder with the YuNet weights."""
    return _folder("models")


@pytest.fixture(scope="session")
def small_fer2013(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small fer2013.csv and its FER+ votes, made here."""
    folder = tmp_path_factory.mktemp("fer2013")
    rows = makers.fer_rows()
    votes = makers.write_ferplus(folder / "fer2013new.csv", makers.ferplus_rows(rows))
    return makers.write_fer2013(folder / "fer2013.csv", makers.fer_csv(rows)), votes


@pytest.fixture(scope="session")
def small_dataset(small_fer2013: tuple[Path, Path]) -> FaceDataset:
    """The small dataset, read and joined."""
    faces, votes = small_fer2013
    return join_votes(read_dataset(faces), votes)


@pytest.fixture(scope="session")
def real_fer2013(shared_data: Path) -> FaceDataset:
    """The whole FER2013 with FER+'s votes."""
    folder = shared_data / "fer2013"
    return join_votes(read_dataset(folder / "fer2013.zip"), folder / "fer2013new.csv")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_dataset: FaceDataset) -> Run:
    """A finished training of the small recipe on the small dataset."""
    from mien.training.train import train

    recipe = load_recipe(find_recipe("mien-base"), makers.SMALL_RECIPE)
    folder = tmp_path_factory.mktemp("runs") / "small"
    return train(recipe, small_dataset, folder, progress=False)


@pytest.fixture(scope="session")
def small_model(
    small_run: Run, small_dataset: FaceDataset, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The small run's network, evaluated and exported."""
    from mien.evaluation.report import evaluate_run
    from mien.export.export import export_run

    evaluate_run(small_run, small_dataset)
    path = tmp_path_factory.mktemp("models") / "small.onnx"
    export_run(small_run, path, name="small")
    return path


@pytest.fixture(scope="session")
def portrait() -> Path:
    """The public domain portrait in matplotlib's sample data; one face."""
    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def shipped_base() -> Path:
    """The shipped default model."""
    return model_path("mien-base")
