"""`mien data`: what would be lost is refused first; names, and splits of other datasets."""

import dataclasses
import os
import sys

import cv2
import numpy as np
import pytest

import makers
from makers import SMALL_RECIPE
from mien.data.split_file import SplitFile
from mien.data.store import read_store, write_store


@pytest.fixture
def crops(tmp_path):
    """Two studies of the same layout, each with the subjects 01 and 02."""
    for study in ("north", "south"):
        for number in range(4):
            subject, emotion = f"0{number % 2 + 1}", ("happy", "sad")[number // 2]
            image = makers.drawn_face(number, np.random.default_rng(number))
            path = tmp_path / study / subject / emotion / f"{study}.png"
            path.parent.mkdir(parents=True)
            cv2.imwrite(str(path), image)
    return tmp_path


@pytest.fixture
def prepare(mien, crops):
    """Prepare a study's faces; returns how the run ended."""

    def run(study, out, *options):
        faces = ["--pattern", "{subject}/{emotion}/*", "--detector", "none", "--jobs", "1"]
        return mien("data", "prepare", crops / study, "--out", crops / out, *faces, *options)

    return run


def test_two_studies_are_combined_under_names_of_their_own(mien, prepare, crops):
    assert prepare("north", "n").code == 0
    assert prepare("south", "s").code == 0
    both = ["data", "combine", crops / "n", crops / "s", "--out", crops / "both"]
    code, _, err = mien(*both)
    assert (code, "'pattern' more than once: mien data convert --as" in err) == (2, True), err
    assert prepare("south", "s", "--as", "south", "--overwrite").code == 0
    assert mien("data", "convert", crops / "n", "--as", "north", "--out", crops / "nn").code == 0
    both[2] = crops / "nn"
    assert mien(*both).code == 0
    faces = read_store(crops / "both")
    assert set(faces.subjects) == {"north/01", "north/02", "south/01", "south/02"}
    assert set(faces.sources) == {"north", "south"}


@pytest.mark.parametrize("report", ["out", "out/report", "link/report"])
def test_a_report_that_the_store_would_replace_is_refused_first(prepare, crops, report):
    assert prepare("north", "out").code == 0
    (crops / "link").symlink_to(crops / "out", target_is_directory=True)
    before = {path: path.read_bytes() for path in (crops / "out").iterdir()}
    code, _, err = prepare("south", "out", "--overwrite", "--report", crops / report)
    assert (code, "--report must be a folder outside of --out" in err) == (2, True), err
    assert {path: path.read_bytes() for path in (crops / "out").iterdir()} == before
    assert not (crops / "out.partial").exists()


def test_a_foreign_project_is_not_replaced(mien, crops):
    project = crops / "project"
    project.mkdir()
    (project / "dataset.json").write_text('{"name": "annotations"}')
    (project / "thesis.md").write_text("precious")
    arguments = ["data", "convert", crops / "north", "--layout", "pattern", "--out", project]
    for options in ((), ("--overwrite",)):
        code, _, err = mien(*arguments, *options)
        assert (code, "must be a dataset manifest of format 1" in err) == (2, True), err
    assert (project / "thesis.md").read_text() == "precious"


@pytest.mark.parametrize("options", [(), ("--overwrite",), ("--resume",)])
def test_the_working_folder_is_refused_first(mien, prepare, crops, monkeypatch, options):
    assert prepare("north", "out").code == 0
    monkeypatch.chdir(crops / "out")
    source = ["data", "prepare", crops / "north", "--out", ".", "--detector", "none"]
    code, _, err = mien(*source, "--pattern", "{subject}/{emotion}/*", *options)
    assert (code, ". is the working folder" in err) == (2, True), err


def test_a_linked_folder_takes_the_store(prepare, crops):
    (crops / "disk").mkdir()
    (crops / "out").symlink_to(crops / "disk", target_is_directory=True)
    assert prepare("north", "out").code == 0
    assert (crops / "out").is_symlink()
    assert len(read_store(crops / "disk")) == 4
    assert (crops / "out-report" / "prepare.html").is_file()


@pytest.mark.parametrize("command", ["explore", "audit"])
def test_a_report_cannot_go_to_a_file(mien, small_fer2013, tmp_path, command):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "report"):
        code, shown, err = mien("data", command, small_fer2013[0], "--out", out)
        assert (code, "file must be a folder to write to. Got a file." in err) == (2, True), err
        assert "Drawing" not in err
        assert shown == ""


def test_a_split_cannot_be_saved_to_a_folder(mien, small_fer2013, tmp_path):
    options = ["--save", tmp_path, "--out", tmp_path / "store"]
    code, _, err = mien("data", "split", small_fer2013[0], *options)
    assert (code, "must be a file to write. Got a folder." in err) == (2, True), err
    assert not (tmp_path / "store").exists()


def test_a_split_that_is_only_saved_again_must_be_of_the_dataset(mien, small_dataset, tmp_path):
    write_store(small_dataset, tmp_path / "faces")
    ids = np.array([f"other-{name}" for name in small_dataset.ids])
    write_store(dataclasses.replace(small_dataset, ids=ids), tmp_path / "others")
    file, again = tmp_path / "split.json", tmp_path / "again.json"
    assert mien("data", "split", tmp_path / "faces", "--folds", "3", "--save", file).code == 0
    code, _, err = mien("data", "split", tmp_path / "others", "--from", file, "--save", again)
    assert (code, "The split is of another dataset" in err) == (2, True), err
    assert not again.exists()
    assert mien("data", "split", tmp_path / "faces", "--from", file, "--save", again).code == 0
    assert SplitFile.read(again) == SplitFile.read(file)


@pytest.fixture
def without_val(small_dataset, tmp_path):
    """A store with train and test alone, as many datasets come."""
    kept = small_dataset.select(np.flatnonzero(small_dataset.splits != "val"))
    write_store(kept, tmp_path / "faces")
    return kept


def test_val_is_taken_out_of_train_and_test_stays(mien, without_val, tmp_path):
    file, out, again = tmp_path / "val.json", tmp_path / "out", tmp_path / "again"
    split = ["data", "split", tmp_path / "faces"]
    code, shown, err = mien(*split, "--val", "0.25", "--seed", "3", "--save", file, "--out", out)
    assert code == 0, err
    assert "0.25 of train made val with seed 3, keeping twins together" in shown
    faces = read_store(out)
    sizes = {name: int((faces.splits == name).sum()) for name in ("train", "val", "test")}
    assert sizes == {"train": 42, "val": 14, "test": 14}
    tested = without_val.ids[without_val.splits == "test"]
    assert sorted(faces.ids[faces.splits == "test"]) == sorted(tested)
    # A face of train is the twin of one of test: it stays where it is.
    assert "1 stayed in train for twins that are in test, too" in shown
    assert mien(*split, "--from", file, "--out", again).code == 0
    assert read_store(again).fingerprint == faces.fingerprint
    code, _, err = mien("data", "split", out, "--val", "0.1", "--save", file)
    assert (code, "must have the split train, and no val" in err) == (2, True), err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--val", "0"], "--val must be a share above 0 and below 1, such as 0.1. Got 0."),
        (["--val", "20"], "Got 20."),
        (["--val", "nan"], "Got nan."),
        (["--val", "0.1", "--ratio", "80:20"], "--ratio makes a split"),
        (["--val", "0.1", "--folds", "3"], "Only one of --folds, --test-per-class, --val"),
        (["--val", "0.1", "--official"], "Only one of"),
        (["--val", "0.1", "--test-per-class", "2"], "Only one of"),
        (["--val", "0.1", "--from", "val.json"], "Only one of"),
        (["--val", "0.1", "--fold", "1", "--out", "x"], "--fold goes with"),
        (["--val", "0.1", "--keep", "subjects"], "faces have none"),
    ],
)
def test_val_goes_with_no_other_way_to_split(mien, without_val, tmp_path, options, sentence):
    file = tmp_path / "split.json"
    code, _, err = mien("data", "split", tmp_path / "faces", "--save", file, *options)
    assert (code, sentence in " ".join(err.split())) == (2, True), err
    assert not file.exists()


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ([], "has no split 'val', by which the best epoch is chosen: it has 'test', 'train'; mien"),
        (["--set", "data.split=80:20"], '; data.split = "80:10:10" makes one.'),
        (["--set", "data.test_per_class=1"], '; data.split = "90:10" makes one of the faces'),
    ],
)
def test_training_without_val_says_how_to_get_it(mien, without_val, tmp_path, recipe, sentence):
    fitting = [option for text in (*SMALL_RECIPE, "signals=[]") for option in ("--set", text)]
    train = ["train", "mien-base", "--data", tmp_path / "faces", "--run", tmp_path / "run"]
    code, _, err = mien(*train, *fitting, *recipe)
    assert (code, sentence in " ".join(err.split())) == (2, True), err
    begun = ["train", "--from", "mien-base", *train[2:]]
    code, _, err = mien(*begun)
    assert code == 2
    assert "Got test, train: mien data split --val 0.1 takes val" in " ".join(err.split())


VIEWERS = ("Thumbs.db", "desktop.ini", "THUMBS.DB", ".DS_Store")


@pytest.mark.parametrize("name", VIEWERS)
def test_what_viewers_leave_is_no_picture(mien, crops, name):
    for place in ("01/happy", "01", "02/sad"):
        (crops / "north" / place / name).write_bytes(b"\0viewer")
    steps = [
        ["prepare", "--detector", "none", "--jobs", "1", "--out", crops / "prepared"],
        ["convert", "--layout", "folder", "--out", crops / "converted"],
    ]
    for step, *options in steps:
        code, shown, err = mien("data", step, crops / "north", *options)
        assert (code, "4 faces" in shown, name in shown + err) == (0, True, False), err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_folder_whose_name_is_no_utf8_is_prepared(prepare, crops):
    raw = os.fsdecode(b"M\xe4rz")
    (crops / "north").rename(crops / raw)
    code, shown, err = prepare(raw, "out")
    assert code == 0, err
    assert r"Preparation of M\xe4rz" in shown
    page = (crops / "out-report" / "prepare.html").read_text(encoding="utf-8")
    assert r"Preparation of M\xe4rz" in page
    assert len(read_store(crops / "out")) == 4
