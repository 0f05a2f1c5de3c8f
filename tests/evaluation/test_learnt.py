"""What a model was trained on is not judged: of its own splits, or of those its recipe made."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from mien.card import ModelCard
from mien.data.assemble import assemble
from mien.errors import MienError, RecipeError
from mien.evaluation.comparison import compare
from mien.evaluation.comparison_page import notes, title, write_comparisons
from mien.evaluation.judged import judged
from mien.evaluation.learnt import (
    Training,
    learnt_of,
    training_of,
    training_of_card,
    training_of_run,
    unlearnt,
)
from mien.evaluation.model_predictions import predictions_from, run_predictions
from mien.evaluation.predictions_file import read_predictions, write_predictions
from mien.evaluation.report import evaluate_run
from mien.export.export import export_run
from mien.inference.zoo import model_path, read_card
from mien.recipe import DataPart
from mien.training.run import Run

ANEW = DataPart(dataset="fer2013", split="60:20:20", keep="nothing", seed=1)
OFFICIAL = DataPart(dataset="fer2013")


def training(part, faces, **told):
    """What a run would say that was trained on some faces as its recipe divides them."""
    own = assemble(part, [faces])
    bare = {"without_votes": own.without_votes.fingerprint, "counts": own.counts()}
    return Training((part,), own.fingerprint, **{**bare, **told})


def identical(faces, others):
    """Which faces are identical to one of others: bool (N,)."""
    known = {image.tobytes() for image in others}
    return np.array([image.tobytes() in known for image in faces.images])


def test_a_recipe_that_divides_anew_tells_what_was_learnt_to_the_twin(bare):
    own = assemble(ANEW, [bare])
    train_images = own.images[own.splits == "train"]
    found = learnt_of(training(ANEW, bare), bare)
    np.testing.assert_array_equal(found.faces, identical(bare, train_images))
    assert found.known
    test = bare.splits == "test"
    assert 0 < found.faces[test].sum() < test.sum()
    # A twin that was not in the split train is learnt as well as its face is, or dropped with it.
    twins = [np.flatnonzero(bare.ids == name)[0] for name in ("fer2013-00000", "fer2013-00077")]
    assert (bare.images[twins[0]] == bare.images[twins[1]]).all()
    parts = [own.splits[own.ids == bare.ids[twin]][0] for twin in twins]
    assert sorted(map(str, parts)) != ["train", "train"]
    assert found.faces[twins].tolist() == ["train" in parts] * 2
    dropping = ANEW.model_copy(update={"drop_twins": True})
    assert not learnt_of(training(dropping, bare), bare).faces[twins].any()


def test_votes_do_not_change_which_faces_were_learnt(bare, small_dataset):
    wanted = learnt_of(training(ANEW, bare), bare).faces
    for said, asked in ((bare, small_dataset), (small_dataset, bare)):
        found = learnt_of(training(ANEW, said), asked)
        assert found.known
        np.testing.assert_array_equal(found.faces, wanted)
    # Runs of versions that told no fingerprint without votes are known by their counts.
    old = training(ANEW, small_dataset, without_votes="")
    np.testing.assert_array_equal(learnt_of(old, bare).faces, wanted)
    other = training(ANEW, small_dataset, without_votes="", counts={"train": {"anger": 1}})
    assert not learnt_of(other, bare).known
    assert not learnt_of(training(ANEW, small_dataset, without_votes="", counts={}), bare).known


def test_official_splits_say_it_themselves(bare, small_dataset):
    for faces in (bare, small_dataset):
        found = learnt_of(training(OFFICIAL, small_dataset), faces)
        assert (found.known, found.faces.any()) == (True, False)
        assert found.own is faces
    card = training(OFFICIAL, small_dataset, without_votes="", counts={})
    assert learnt_of(card, bare).known  # as a shipped model without votes is
    assert learnt_of(training_of("mien-base"), bare).known
    # Without splits they cannot have been those of the training.
    unsplit = replace(bare, splits=np.full(len(bare), ""))
    assert not learnt_of(card, unsplit).known
    # Nor are those of a run with other ones, such as a fold's.
    fold = replace(bare, splits=np.roll(bare.splits, 7))
    assert not learnt_of(training(OFFICIAL, fold), bare).known


def test_what_is_of_other_data_or_needs_them_is_told_apart(bare):
    other = training(ANEW, bare, without_votes="x")
    elsewhere = learnt_of(other, bare.renamed("mine"))
    assert (elsewhere.known, elsewhere.faces.any()) == (True, False)
    assert not learnt_of(Training((ANEW,), "x"), bare).known
    both = ANEW.model_copy(update={"dataset": "fer2013+ckplus48"})
    assert not learnt_of(Training((both,), "x"), bare).known
    assert learnt_of(Training((), "x"), bare).known
    # The faces as the recipe divided them have its splits.
    own = assemble(ANEW, [bare])
    again = learnt_of(training(ANEW, bare), own)
    assert (again.known, again.faces.any()) == (True, False)


def test_a_card_says_it_as_its_run_does(bare):
    card = read_card(model_path("mien-large"))
    found = training_of_card(card)
    assert [part.dataset for part in found.parts] == ["fer2013", "fer2013"]
    assert found.fingerprint == card.data_fingerprint
    assert training_of("mien-large") == found
    for recipe in ("", "name = 'x'", "[data]\nunheard = 1"):
        strange = ModelCard.model_validate({**card.model_dump(), "members": (), "recipe": recipe})
        assert training_of_card(strange).parts == ()


def copied(run, folder):
    return Run(shutil.copytree(run.folder, folder / run.folder.name))


def test_no_model_is_judged_on_what_another_was_trained_on(anew, small_model, bare, tmp_path):
    (own,), (_, seven) = (predictions_from(str(m), bare) for m in (anew.folder, small_model))
    learnt = learnt_of(training_of_run(anew), bare).faces
    test = bare.splits == "test"
    count = int((learnt & test).sum())
    assert count > 0
    for tables in ((own, seven), (seven, own)):
        found = compare(tables)
        assert (found.faces, found.found) == (14 - count, 14)
        assert found.learnt == {"anew": count}
        assert found.unshared == 0
    kept = seven.select(np.isin(seven.ids, bare.ids[test & ~learnt]))
    assert found.models[0].figures == compare([kept, kept]).models[0].figures
    sentence = f"{count} of 14 faces were trained on by anew and are left out"
    assert sentence in write_comparisons([found], tmp_path).read_text()
    assert [note for note in notes(found) if note.startswith(sentence)]
    (data,) = json.loads((tmp_path / "compare.json").read_text())
    assert data["trained_on"] == {"of": 14, "left_out": {"anew": count}}


def test_a_model_that_divided_anew_is_judged_on_the_rest(anew, bare, tmp_path):
    run = copied(anew, tmp_path)
    evaluate_run(run, assemble(ANEW, [bare]))
    export_run(run, tmp_path / "anew.onnx")
    learnt = learnt_of(training_of_run(run), bare).faces
    for model in (run.folder, tmp_path / "anew.onnx"):
        (table,) = predictions_from(str(model), bare, every=True)
        found = judged(table, bare, "all")
        assert sorted(found.faces.ids) == sorted(bare.ids[~learnt])
        assert found.learnt == learnt.sum()
        assert not table.leaked.any()  # of splits that it did not go by
        (official,) = predictions_from(str(model), bare)
        assert set(judged(official).table.ids) <= set(bare.ids[~learnt])
        # Whatever splits they come with, for the recipe makes its own.
        (whole,) = predictions_from(str(model), replace(bare, splits=np.full(len(bare), "")))
        assert sorted(judged(whole).faces.ids) == sorted(bare.ids[~learnt])
    write_predictions(found.table, tmp_path / "t.parquet")
    assert sorted(read_predictions(tmp_path / "t.parquet").ids) == sorted(bare.ids[~learnt])
    only = table.select(table.learnt)
    with pytest.raises(MienError, match=r"split 'test' that it was not trained on .* \d+ others"):
        judged(only, split="test")


def test_what_is_not_known_is_said(anew, bare, tmp_path):
    other = replace(bare, ids=np.char.add(bare.ids, "x"))
    (table,) = predictions_from(str(anew.folder), other)
    assert not table.origin.division_known
    found = compare([table, replace(table, model="again")])
    text = "anew and again were each trained on a dataset of the name 'fer2013', and on which of"
    assert [note for note in notes(found) if note.startswith(text)]
    page = write_comparisons([found], tmp_path).read_text()
    assert "on which of these faces is not known" in page
    (data,) = json.loads((tmp_path / "compare.json").read_text())
    assert [model["division_known"] for model in data["models"]] == [False, False]
    # A table that was written says it still.
    write_predictions(table, tmp_path / "t.parquet")
    assert read_predictions(tmp_path / "t.parquet").origin == table.origin


def test_faces_are_explained_that_were_not_learnt(anew, bare):
    learnt = learnt_of(training_of_run(anew), bare).faces
    test = bare.in_split("test")
    faces, told = unlearnt(str(anew.folder), bare, test)
    assert set(faces.ids) == set(bare.ids[(bare.splits == "test") & ~learnt])
    assert told.startswith(f"{14 - len(faces)} of 14 faces were trained on by")
    assert unlearnt("mien-tiny", bare, test) == (test, "")
    with pytest.raises(MienError, match=r"was trained on all \d+ faces of 'fer2013'"):
        unlearnt(str(anew.folder), bare, bare.select(learnt))


def test_a_run_without_a_report_is_calibrated_on_its_own_validation(anew, bare, tmp_path):
    run = copied(anew, tmp_path)
    (table,) = run_predictions(run, bare)
    assert table.origin.calibrated
    (report,) = evaluate_run(run, assemble(ANEW, [bare]))
    assert table.temperature == pytest.approx(report.head.temperature)
    assert table.temperature != 1
    (again,) = run_predictions(run, bare)
    assert again.temperature == report.head.temperature


def test_uncalibrated_runs_are_named(anew, bare, tmp_path):
    elsewhere = bare.renamed("mine")
    (table,) = run_predictions(anew, elsewhere)
    assert (table.temperature, table.origin.calibrated) == (1, False)
    (tiny,) = [t for t in predictions_from("mien-tiny", elsewhere) if t.labels == table.labels]
    found = compare([tiny, table])
    assert [note for note in notes(found) if note.startswith("anew was never calibrated")]
    assert "anew was never calibrated" in write_comparisons([found], tmp_path).read_text()
    (data,) = json.loads((tmp_path / "compare.json").read_text())
    assert [model["calibrated"] for model in data["models"]] == [True, False]


def test_votes_may_be_given_that_a_training_did_without(anew, bare, small_dataset, tmp_path):
    run = copied(anew, tmp_path)
    with_votes = assemble(ANEW, [small_dataset])
    assert with_votes.fingerprint != run.data()["fingerprint"]
    (one,) = evaluate_run(run, with_votes)
    (two,) = evaluate_run(run, assemble(ANEW, [bare]))
    assert one == two
    # Runs of versions that told only the one fingerprint can be compared, too.
    said = run.data()
    del said["fingerprint_without_votes"]
    run.data_file.write_text(json.dumps(said))
    assert evaluate_run(run, with_votes) == [one]


def test_missing_votes_are_asked_for(small_run, bare, small_dataset, tmp_path):
    with pytest.raises(RecipeError, match=r"'ferplus8' learns from votes, .* has none: give --vo"):
        evaluate_run(small_run, bare)
    run = copied(small_run, tmp_path)
    said = run.data()
    del said["fingerprint_without_votes"]
    run.data_file.write_text(json.dumps(said))
    with pytest.raises(MienError, match=r"or on these with votes: .*; give --votes if so\."):
        evaluate_run(run, bare)
    assert len(evaluate_run(run, small_dataset)) == 2
    # One that never had votes is not helped by them.
    run.data_file.write_text(json.dumps(said | {"history": [], "fingerprint": "x"}))
    with pytest.raises(MienError, match=r"may have seen the faces of the test: .* data convert"):
        evaluate_run(run, bare)


def test_the_output_that_readings_use_is_marked(small_model, small_dataset, tmp_path):
    eight, seven = predictions_from(str(small_model), small_dataset)
    assert eight.origin.outputs == seven.origin.outputs == ("ferplus8", "basic7")
    read = compare([eight, replace(eight, model="other")])
    assert title(read) == "fer2013, ferplus8 (what readings say): 14 faces of test"
    assert "Judged is what readings say: the output ferplus8 of small and other." in notes(read)
    narrowed = compare([seven, replace(seven, model="other")])
    assert title(narrowed) == "fer2013, basic7: 14 faces of test"
    (note,) = notes(narrowed)
    assert "the output basic7 of small and other, which is for tests on labels such as" in note
    assert "what readings say is ferplus8" in note
    assert note.replace("'", "&#x27;") in write_comparisons([narrowed], tmp_path).read_text()
    (data,) = json.loads((tmp_path / "compare.json").read_text())
    assert [m["output"] for m in data["models"]] == ["basic7", "basic7"]
    assert [m["readings_use"] for m in data["models"]] == ["ferplus8", "ferplus8"]
