"""No model of one's own takes the name of one that ships with mien."""

from __future__ import annotations

import shutil

import pytest

from mien.errors import MienError
from mien.evaluation.report import evaluate_run
from mien.export.export import export_run
from mien.export.naming import check_name
from mien.export.quantise import quantise
from mien.inference.zoo import model_path, read_card, shipped_models
from mien.training.run import Run


@pytest.fixture
def run(small_run, small_dataset, tmp_path):
    """A run of the recipe mien-base, in a folder of that name."""
    evaluate_run(small_run, small_dataset)
    return Run(shutil.copytree(small_run.folder, tmp_path / "runs" / "mien-base"))


def called(run: Run, recipe: str) -> Run:
    """Say that a run was trained by a recipe of another name."""
    text = run.recipe_file.read_text()
    assert 'name = "mien-base"' in text
    run.recipe_file.write_text(text.replace('name = "mien-base"', f'name = "{recipe}"', 1))
    return run


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_may_be_made_again_by_its_own_recipes(name):
    recipes = read_card(model_path(name)).recipes
    check_name(name, recipes)
    check_name("mine", ['name = "mine"'])
    for others in ([], ['name = "mine"'], [*recipes, 'name = "mine"']):
        with pytest.raises(MienError, match=f"'{name}' is a model that ships with mien, trained"):
            check_name(name, others)


def test_the_first_cycle_is_not_called_as_the_second(run, tmp_path):
    with pytest.raises(MienError, match="trained by mien-base-again: give this one another --name"):
        export_run(run, tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()


def test_by_default_it_is_called_after_its_file_and_that_is_said(mien, run, tmp_path):
    done = mien("export", run.folder, "--out", tmp_path / "my-model.onnx")
    assert done.code == 0, done.err
    said = "mien-base is a model that ships with mien: this one is called my-model, after its file."
    assert said in " ".join(done.err.split())
    assert read_card(tmp_path / "my-model.onnx").name == "my-model"
    for given in (
        ["--out", tmp_path / "mien-tiny.onnx"],
        ["--out", "x.onnx", "--name", "mien-base"],
    ):
        refused = mien("export", run.folder, *given)
        assert (refused.code, "another --name" in refused.err) == (2, True)
    assert not (tmp_path / "mien-tiny.onnx").exists()


def test_what_the_project_does_for_shipping_goes_on(mien, run, small_dataset, tmp_path):
    out = tmp_path / "base.onnx"
    called(run, "mien-base-again")
    assert mien("export", run.folder, "--out", out, "--name", "mien-base").code == 0
    assert read_card(out).name == "mien-base"
    assert quantise(out, small_dataset, tmp_path / "mien-base.onnx").name == "mien-base"
    with pytest.raises(MienError, match="'mien-tiny' is a model that ships"):
        quantise(out, small_dataset, tmp_path / "x.onnx", name="mien-tiny")
