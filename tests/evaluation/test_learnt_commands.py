"""What commands say of faces that a model was trained on, and of the output that they judge."""

import json
import shutil
from dataclasses import replace

import pytest

from mien.data.assemble import assemble
from mien.data.store import write_store
from mien.evaluation.learnt import learnt_of, training_of_run
from mien.evaluation.report import evaluate_run
from mien.training.run import Run


def words(text):
    return " ".join(text.split())


@pytest.fixture(scope="module")
def count(anew, bare):
    """How many of the 14 test faces the run was trained on."""
    learnt = learnt_of(training_of_run(anew), bare).faces
    return int((learnt & (bare.splits == "test")).sum())


def test_compare_leaves_out_what_a_run_was_trained_on(mien, anew, count, small_fer2013, tmp_path):
    given = ("--data", small_fer2013[0], "--out", tmp_path / "c")
    code, out, err = mien("compare", "mien-tiny", anew.folder, *given)
    assert code == 0, err
    assert f"basic7: {14 - count} faces of test" in out
    assert f"{count} of 14 faces were trained on by anew and are left out" in words(err)
    assert "calibrated" not in err  # fitted on its own validation, which is at hand
    (data,) = json.loads((tmp_path / "c" / "compare.json").read_text())
    assert (data["faces"], data["trained_on"]["left_out"]) == (14 - count, {"anew": count})


def test_official_splits_are_judged_as_they_are(mien, small_run, small_fer2013, tmp_path):
    given = ("--data", small_fer2013[0], "--out", tmp_path / "c", "--labels", "basic7")
    code, out, err = mien("compare", "mien-base", small_run.folder, *given)
    assert code == 0, err
    assert "basic7: 14 faces of test" in out
    assert "trained on" not in err
    (data,) = json.loads((tmp_path / "c" / "compare.json").read_text())
    assert data["trained_on"] == {"of": 14, "left_out": {}}


def test_a_run_on_other_faces_of_the_name_says_so(mien, anew, bare, tmp_path):
    write_store(replace(bare, images=bare.images + 1), tmp_path / "other")
    given = ("--data", tmp_path / "other", "--out", tmp_path / "c")
    code, _, err = mien("compare", "mien-tiny", anew.folder, *given)
    assert code == 0, err
    assert "anew was trained on a dataset of the name 'fer2013', and on which" in words(err)
    assert "anew was never calibrated" in words(err)
    assert "mien-tiny was" not in words(err)


def test_explain_draws_none_that_it_was_trained_on(
    mien, anew, count, small_fer2013, bare, tmp_path
):
    run = Run(shutil.copytree(anew.folder, tmp_path / "anew"))
    evaluate_run(run, assemble(run.recipe().data, [bare]))
    code, _, err = mien("explain", run.folder, small_fer2013[0], "--out", tmp_path / "e")
    assert code == 0, err
    sentence = f"{count} of 14 faces were trained on by"
    assert sentence in words(err)
    assert sentence in (tmp_path / "e" / "explain.html").read_text()
    found = json.loads((tmp_path / "e" / "explanations.json").read_text())
    assert sentence in found["chosen"]
    learnt = learnt_of(training_of_run(anew), bare).faces
    assert len(found["faces"]) == 14 - count
    assert not {face["name"] for face in found["faces"]} & set(bare.ids[learnt])


def test_evaluate_says_which_output_it_judges(mien, small_model, small_fer2013, tmp_path):
    faces, votes = small_fer2013
    data = (faces, "--votes", votes)
    code, out, err = mien("evaluate", small_model, *data, "--out", tmp_path / "all")
    assert code == 0, err
    assert "ferplus8 (what readings say), test" in out
    page = (tmp_path / "all" / "report.html").read_text()
    assert ">Output ferplus8, what readings say</h1>" in page
    assert ">Output basic7</h1>" in page
    narrowed = (*data, "--labels", "basic7", "--out", tmp_path / "seven")
    code, out, err = mien("evaluate", small_model, *narrowed)
    assert code == 0, err
    sentence = "what readings say is ferplus8, also where mien analyze --labels narrows it"
    assert sentence in words(err)
    assert sentence in (tmp_path / "seven" / "report.html").read_text()
    found = json.loads((tmp_path / "seven" / "report.json").read_text())["basic7"]
    assert (found["output"], found["readings_use"]) == ("basic7", "ferplus8")


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_the_help_says_which_output_labels_judge(mien, command):
    code, out, _ = mien(command, "--help")
    assert code == 0
    assert "mien analyze narrows" in out.replace("│", " ")
