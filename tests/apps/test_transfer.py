"""Fine-tuning, ensembles and test-time augmentation from the command line."""

import dataclasses
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

import makers
from mien.data.store import read_store, write_store
from mien.evaluation.judged import places_of
from mien.evaluation.predictions_file import read_predictions
from mien.inference.classifier import Classifier
from mien.inference.zoo import read_card
from mien.preprocess import grey
from mien.training.photos import photos_to_prepare, prepared
from mien.training.run import Run

FEW = ["--set", "training.epochs=2", "--set", "training.batch_size=8"]


def write_tree(folder, count=20, side=60):
    """Drawn faces of two expressions in folders; each bigger than a network's input."""
    random = np.random.default_rng(0)
    for code, name in ((0, "angry"), (3, "Happy")):
        for number in range(count):
            face = cv2.resize(makers.drawn_face(code, random), (side, side))
            makers.write_photo(folder / name / f"{number}.png", face)
    return folder


def data_of(small_fer2013):
    faces, votes = small_fer2013
    return ["--data", faces, "--votes", votes]


def test_one_command_fine_tunes_on_a_folder_of_photos(mien, small_model, tmp_path):
    tree = write_tree(tmp_path / "mine")
    (tree / "angry" / "broken.png").write_bytes(b"no picture")
    run = Run(tmp_path / "run")
    command = ["train", "--from", small_model, "--data", tree, "--run", run.folder, *FEW]
    code, out, err = mien(*command)
    assert code == 0, err
    assert "broken.png" in err
    assert "40 of 41 photos" in err
    assert "anger+happiness" in out
    recipe = run.recipe()
    assert recipe.network == Run(run.folder).module().recipe.network
    assert recipe.start is not None
    assert recipe.start.source == str(small_model)
    assert (len(recipe.start.sha256), recipe.start.adapt) == (64, False)
    faces = read_store(run.faces)
    assert faces.images.shape == (40, 48, 48)
    assert run.data()["counts"].keys() == {"train", "val", "test"}
    assert mien(*command, "--resume").code == 0
    code, _, err = mien(*command)
    assert (code, "continue it with --resume" in err) == (2, True)
    model = tmp_path / "own.onnx"
    assert mien("export", run.folder, "--out", model).code == 0
    assert Classifier(model).classify(faces.images).shape == (40, 2)
    # And from the run's folder, on faces of the right size, with the head it has.
    again = ["train", "--from", run.folder, "--data", run.faces, "--run", tmp_path / "more", *FEW]
    assert mien(*again).code == 0


def test_photos_are_looked_through_for_faces_and_crops_are_not(portrait, tmp_path):
    picture = np.asarray(PIL.Image.open(portrait).convert("RGB"))
    for number, name in enumerate(("angry", "happy")):
        makers.write_photo(tmp_path / "photos" / name / "a.png", picture[:, number:])
    found = photos_to_prepare(tmp_path / "photos", 48)
    assert found is not None
    assert found[1].detector == "haar"
    dataset, outcomes = prepared(*found, tmp_path / "faces")
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    assert dataset.images.shape == (2, 48, 48)
    assert float(np.std(grey(picture))) > 0
    crops = photos_to_prepare(write_tree(tmp_path / "crops", 2), 48)
    assert crops is not None
    assert crops[1].detector == "none"
    assert photos_to_prepare(write_tree(tmp_path / "ready", 2, side=48), 48) is None
    assert photos_to_prepare(tmp_path / "faces", 48) is None


def test_votes_need_the_dataset_that_they_are_of(mien, small_fer2013, tmp_path):
    trees = [write_tree(tmp_path / name, 2) for name in ("one", "two")]
    data = [part for tree in trees for part in ("--data", tree)]
    code, _, err = mien("train", "mien-base", *data, "--votes", small_fer2013[1])
    assert code == 2
    assert "--votes are of 'fer2013', which is none of the datasets" in " ".join(err.split())


def test_a_damaged_photo_of_an_archive_is_only_left_out(tmp_path):
    tree = write_tree(tmp_path / "mine", 2)
    archive = Path(shutil.make_archive(str(tree), "zip", tree))
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        first = min((i for i in opened.infolist() if not i.is_dir()), key=lambda i: i.header_offset)
    content[first.header_offset + 30 + len(first.filename) + 60] ^= 0xFF
    archive.write_bytes(content)
    raw, _ = photos_to_prepare(archive, 48)
    assert len(raw.entries) == sum(path.is_file() for path in tree.rglob("*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a recipe, or a model to begin with"),
        (["--from", "mien-bas"], "did you mean 'mien-base'"),
        (["--from", "{folder}"], "is not a run: it holds no recipe.toml"),
        (["mien-base", "--from", "{model}"], "Got 'folder' instead"),
        (["--from", "{model}", "--set", "network.name=chen"], "takes this from the model"),
        (["--from", "{model}", "--set", "network={{name='chen'}}"], "takes this from the model"),
        (["--from", "{model}", "--set", "preprocess={{size=96}}"], "takes this from the model"),
        (["--from", "{model}", "--set", "heads=[{{labels='four'}}]"], "takes this from the model"),
        (["--from", "{model}", "--set", "data={{dataset='x'}}"], "takes this from the model"),
        (["--from", "{model}", "--set", "start.sha256=00"], "--from names the model to begin with"),
    ],
)
def test_mistakes_are_one_sentence(mien, small_model, tmp_path, arguments, message):
    tree = write_tree(tmp_path / "mine", 2)
    (tmp_path / "empty").mkdir()
    given = [a.format(folder=tmp_path / "empty", model=small_model) for a in arguments]
    code, _, err = mien("train", *given, "--data", tree, "--run", tmp_path / "run")
    assert (code, message in " ".join(err.split())) == (2, True), err
    assert not (tmp_path / "run").exists()


def test_a_division_that_the_data_overrule_is_refused(mien, small_model, small_dataset, tmp_path):
    known = dataclasses.replace(small_dataset, subjects=small_dataset.ids)
    write_store(known, tmp_path / "faces")
    command = [
        "train",
        "--from",
        small_model,
        "--data",
        tmp_path / "faces",
        "--run",
        tmp_path / "r",
    ]
    for override, said in (
        ("data.split=50:25:25", "--set data.split=50:25:25: 'fine-tune' takes this from the model"),
        ("data.keep=nothing", "--set data.keep=nothing: 'fine-tune' takes this from the model"),
        ("data.split=official", "training.batch_size must be at most"),
    ):
        sets = ["--set", override, "--set", "training.batch_size=999"]
        code, _, err = mien(*command, *sets)
        assert (code, said in " ".join(err.split())) == (2, True), err


def test_an_ensemble_is_measured_and_exported(
    mien,
    small_run,
    small_model,
    small_fer2013,
    tmp_path,
):
    out, card = tmp_path / "both.onnx", tmp_path / "both.md"
    members = [small_run.folder, small_model]
    options = ["--out", out, "--card", card, "--weights", "fit", "--average", "logits"]
    code, printed, err = mien("ensemble", *members, *data_of(small_fer2013), *options)
    assert code == 0, err
    rows = [
        line.split("│")[3].strip()
        for line in printed.splitlines()
        if "│ test, all" in line or "leaked (" in line
    ]
    assert rows.count("small") == 2 * rows.count("ensemble") == 8  # two outputs, all and not leaked
    assert "Members and ensemble" in printed
    assert "without leaked" in printed
    found = read_card(out)
    assert sum(m.weights["basic7"] for m in found.members) == pytest.approx(1)
    assert found.averaging == "logits"
    assert "## Members" in card.read_text(encoding="utf-8")
    assert "Member small" in mien("models", out).out
    code, _, err = mien("ensemble", small_model, *data_of(small_fer2013), "--out", out)
    assert (code, "two or more members" in err) == (2, True)


def test_views_are_measured_before_they_are_exported(
    mien,
    small_run,
    small_fer2013,
    tmp_path,
):
    (small_run.folder / "report-flip.json").unlink(missing_ok=True)
    export = ["export", small_run.folder, "--out", tmp_path / "x.onnx", "--tta", "flip"]
    code, _, err = mien(*export)
    assert (code, "measure it first, with mien evaluate" in err) == (2, True)
    evaluate = ["evaluate", small_run.folder, *data_of(small_fer2013), "--tta"]
    assert mien(*evaluate, "flip").code == 0
    assert mien(*export).code == 0
    assert read_card(tmp_path / "x.onnx").views == "flip"
    given = ["flip", "--split", "all", "--out", tmp_path / "all"]
    assert mien(*evaluate, *given).code == 0
    every = read_predictions(tmp_path / "all" / "predictions" / "basic7.parquet")
    seen = read_predictions(small_run.folder / "predictions" / "basic7-flip.parquet")
    same = every.select(places_of(seen.ids, every.ids))
    np.testing.assert_allclose(same.probabilities, seen.probabilities, atol=1e-5)
    both = ["ensemble", small_run.folder, tmp_path / "x.onnx", *data_of(small_fer2013)]
    code, _, err = mien(*both, "--out", tmp_path / "both.onnx")
    assert (code, "must see one view of a face" in err) == (2, True)
    code, _, err = mien(*evaluate, "flipp")
    assert (code, "did you mean 'flip'" in err) == (2, True)


def test_a_run_is_measured_when_it_is_finished(mien, small_run, small_fer2013, tmp_path):
    run = Run(tmp_path / "run")
    shutil.copytree(small_run.folder, run.folder)
    recipe = run.recipe()
    longer = recipe.training.model_copy(update={"epochs": recipe.training.epochs + 1})
    run.write_start(recipe.model_copy(update={"training": longer}), run.data(), "fp32")
    code, _, err = mien("evaluate", run.folder, *data_of(small_fer2013))
    assert (code, "was not trained to the end" in err) == (2, True)
