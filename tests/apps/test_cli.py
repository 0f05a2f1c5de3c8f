import csv
import dataclasses
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from mien.apps.cli import extras
from mien.apps.cli.pictures import Found
from mien.data.prepare.settings import PREPARED, Preparation
from mien.data.split_file import SplitFile
from mien.data.store import read_store, write_store
from mien.errors import MissingExtraError
from mien.inference.journal import Journal
from mien.labels import EXPRESSIONS


@pytest.fixture
def photos(tmp_path, portrait):
    """A folder with a portrait, a picture without a face, and files that are no pictures."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    shutil.copy(portrait, folder / "a.jpg")
    shutil.copy(portrait, folder / "more" / "b.JPG")
    PIL.Image.fromarray(np.full((60, 80, 3), 90, np.uint8)).save(folder / "plain.png")
    (folder / "fake.png").write_text("not a picture")
    (folder / "cut.jpg").write_bytes(portrait.read_bytes()[:5000])
    (folder / "notes.txt").write_text("not looked at")
    return folder


def interrupt_after_three(monkeypatch):
    """Let the user interrupt when three photos are done."""
    add = Journal.add

    def interrupt(self, source, *rest):
        if len(self) == 3:
            raise KeyboardInterrupt
        add(self, source, *rest)

    monkeypatch.setattr(Journal, "add", interrupt)


def table(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_photo_is_read_into_a_table(mien, portrait, small_model):
    code, out, _ = mien("analyze", portrait, "--model", small_model)
    assert code == 0
    assert portrait.name in out
    assert any(expression in out for expression in EXPRESSIONS)
    assert "%" in out


def test_a_folder_is_read_whole_and_what_failed_is_said_at_the_end(mien, photos, small_model):
    out = photos.parent / "new" / "readings.csv"
    marked = photos.parent / "marked"
    code, _, err = mien(
        "analyze", photos, "--model", small_model, "--out", out, "--annotated", marked
    )
    assert code == 1
    assert "fake.png is not a picture" in err
    assert "cut.jpg is damaged" in err
    status = {Path(row["source"]).name: row["status"] for row in table(out)}
    assert status == {
        "a.jpg": "ok",
        "b.JPG": "ok",
        "plain.png": "no face",
        "fake.png": "error",
        "cut.jpg": "error",
    }
    copies = sorted(path.name for path in marked.rglob("*.*") if path.is_file())
    assert copies == [".mien-marked", "a.jpg", "b.JPG", "plain.png"]
    assert "Passed over what has no photo's suffix" in err
    assert "1 .txt" in err
    assert sorted(path.name for path in out.parent.iterdir()) == ["readings.csv"]


def test_every_format_says_the_same(mien, photos, small_model, tmp_path):
    for suffix in ("csv", "json", "parquet"):
        mien("analyze", photos, "--model", small_model, "--out", tmp_path / f"r.{suffix}")
    rows = [row for row in table(tmp_path / "r.csv") if row["status"] == "ok"]
    frame = pd.read_parquet(tmp_path / "r.parquet").query("status == 'ok'")
    pictures = [p for p in json.loads((tmp_path / "r.json").read_text()) if p["status"] == "ok"]
    assert len(rows) == len(frame) == len(pictures) == 2
    for row, (_, record), picture in zip(rows, frame.iterrows(), pictures):
        shares = picture["faces"][0]["probabilities"]
        assert sum(shares.values()) == pytest.approx(1)
        for expression in EXPRESSIONS:
            assert float(row[expression]) == record[expression] == shares[expression]


@pytest.mark.parametrize(("labels", "count"), [("ferplus8", 8), ("basic7", 7), ("four", 4)])
def test_labels_renormalise(mien, portrait, small_model, labels, count):
    arguments = ["analyze", portrait, "--model", small_model, "--format", "json"]
    everything = json.loads(mien(*arguments).out)[0]["faces"][0]["probabilities"]
    code, out, _ = mien(*arguments, "--labels", labels)
    assert code == 0
    shares = json.loads(out)[0]["faces"][0]["probabilities"]
    assert len(shares) == count
    total = sum(everything[expression] for expression in shares)
    for expression, share in shares.items():
        assert share == pytest.approx(everything[expression] / total)


def test_a_mistyped_photo_does_not_cost_an_earlier_result(mien, portrait, small_model, tmp_path):
    out = tmp_path / "readings.csv"
    assert mien("analyze", portrait, "--model", small_model, "--out", out).code == 0
    before = out.read_bytes()
    code, _, err = mien("analyze", "mistyped.jpg", "--model", small_model, "--out", out)
    assert (code, out.read_bytes()) == (2, before)
    assert "mistyped.jpg does not exist" in err


@pytest.mark.parametrize("suffix", [".jpg", ".mp4"])
def test_a_photo_is_not_written_over_by_its_readings(mien, portrait, small_model, tmp_path, suffix):
    photo = tmp_path / f"photo{suffix}"
    photo.write_bytes(portrait.read_bytes())
    options = ["--model", small_model, "--format", "csv", "--out", photo]
    code, _, err = mien("analyze", tmp_path, *options)
    assert (code, "--out must be a table" in err) == (2, True)
    assert photo.read_bytes() == portrait.read_bytes()


def test_csv_goes_to_standard_output_alone(mien, portrait, small_model):
    code, out, err = mien("analyze", portrait, "--model", small_model, "--format", "csv")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("source,face,status,answer,expression,confidence,anger")
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jpg"], "missing.jpg does not exist"),
        (["{portrait}", "--labels", "basic"], "did you mean 'basic7'"),
        (["{portrait}", "--detector", "har"], "did you mean 'haar'"),
        (["{portrait}", "--model", "mien-bas"], "Unknown model 'mien-bas'"),
        (["{portrait}", "--model", "none.onnx"], "none.onnx does not exist"),
        (["{portrait}", "--model", "{portrait}"], "not an ONNX file"),
        (["{portrait}", "--detector-weights", "none.xml"], "none.xml does not exist"),
        (["{portrait}", "--out", "readings.txt"], "Unknown format 'txt'"),
        (["{portrait}", "--out", "readings"], "must end in .csv, .json or .parquet"),
        (["{portrait}", "--format", "parquet"], "name a file with --out"),
        (["{portrait}", "--resume"], "--resume needs the --out"),
        (["{empty}"], "holds no photo"),
        (["{portrait}", "--format", "xml"], "'xml' is not one of"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    mien, portrait, small_model, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    filled = [a.format(portrait=portrait, empty=tmp_path / "empty") for a in arguments]
    if "--model" not in filled:
        filled += ["--model", str(small_model)]
    code, _, err = mien("analyze", *filled)
    assert code == 2
    assert message in " ".join(err.split())
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_an_interrupted_run_is_kept_refused_and_resumed(mien, photos, small_model, monkeypatch):
    out = photos.parent / "readings.csv"
    interrupt_after_three(monkeypatch)
    arguments = ["analyze", photos, "--model", small_model, "--out", out]
    code, _, err = mien(*arguments)
    assert code == 130
    assert "3 photos are done" in err
    assert not out.exists()
    monkeypatch.undo()
    code, _, err = mien(*arguments)
    assert code == 2
    assert "--resume" in err
    assert mien(*arguments, "--resume").code == 1
    assert "nothing to resume" in mien(*arguments, "--resume").err
    whole = photos.parent / "whole.csv"
    mien("analyze", photos, "--model", small_model, "--out", whole)
    assert out.read_bytes() == whole.read_bytes()
    assert not list(photos.parent.glob("*.partial"))


def test_data_is_shown_and_converted(mien, small_fer2013, tmp_path):
    faces, votes = small_fer2013
    code, out, _ = mien("data", "show", faces)
    assert code == 0
    assert "fer2013: 84 faces" in out
    store = tmp_path / "store"
    assert mien("data", "convert", faces, "--votes", votes, "--out", store).code == 0
    assert mien("data", "show", store).code == 0
    code, _, err = mien("data", "convert", faces, "--out", store)
    assert (code, "add --overwrite" in err) == (2, True)
    assert mien("data", "convert", faces, "--out", store, "--overwrite").code == 0
    code, _, err = mien("data", "show", tmp_path / "fer2013.csv")
    assert (code, "No such file" in err) == (2, True)


def test_labels_and_splits_are_changed(mien, small_fer2013, tmp_path):
    faces, _ = small_fer2013
    four, split = tmp_path / "four", tmp_path / "split"
    arguments = ["data", "convert", faces, "--out", four, "--labels", "four"]
    code, out, _ = mien(*arguments, "--merge", "disgust=anger")
    assert code == 0
    assert "merged 12 disgust into anger" in out
    assert "four: dropped 12 fear" in out
    code, out, _ = mien("data", "split", four, "--out", split, "--ratio", "80:18:2")
    assert code == 0
    assert "split 80:18:2 with seed 0, keeping twins together" in out
    code, out, _ = mien("data", "show", split)
    assert [word in out for word in ("train", "val", "test")] == [True] * 3


def test_a_split_is_shared_as_a_file(mien, small_fer2013, tmp_path):
    faces, _ = small_fer2013
    file, one, other = tmp_path / "folds.json", tmp_path / "one", tmp_path / "other"
    code, _, err = mien("data", "split", faces, "--folds", "3", "--save", file)
    assert (code, "Wrote" in err) == (0, True)
    assert mien("data", "split", faces, "--from", file, "--fold", "1", "--out", one).code == 0
    arguments = ["data", "split", faces, "--folds", "3", "--fold", "1", "--out", other]
    assert mien(*arguments).code == 0
    assert read_store(one).fingerprint == read_store(other).fingerprint
    code, _, err = mien("data", "split", faces)
    assert (code, "Nothing to write" in err) == (2, True)


def test_a_split_from_elsewhere_is_checked_for_what_it_keeps(mien, tmp_path):
    faces, file, out = tmp_path / "faces", tmp_path / "split.json", tmp_path / "out"
    generator = np.random.default_rng(0)
    faces.mkdir()
    rows = ["path,label,subject"]
    for number in range(24):
        name = f"{number}.png"
        PIL.Image.fromarray(generator.integers(0, 256, (48, 48), np.uint8)).save(faces / name)
        rows.append(f"{name},{('anger', 'happiness')[number % 2]},p{number // 6}")
    (faces / "list.csv").write_text("\n".join(rows))
    listed = faces / "list.csv"
    assert mien("data", "split", listed, "--folds", "3", "--save", file).code == 0
    given = ["data", "split", listed, "--from", file, "--fold", "0", "--out", out]
    code, _, err = mien(*given, "--keep", "subjects")
    assert code == 2
    assert "was to keep subjects together and divides 4 of 4 groups" in " ".join(err.split())
    assert not out.exists()
    assert mien(*given, "--keep", "twins").code == 0
    made = ["data", "split", listed, "--folds", "3", "--keep", "subjects"]
    assert mien(*made, "--save", file).code == 0
    assert mien(*given, "--keep", "subjects", "--overwrite").code == 0


def test_a_balanced_test_and_the_official_split(mien, small_fer2013, tmp_path):
    faces, _ = small_fer2013
    out, save = tmp_path / "balanced", tmp_path / "official.json"
    assert mien("data", "split", faces, "--test-per-class", "2", "--out", out).code == 0
    counts = read_store(out).counts()
    assert set(counts["test"].values()) == {2}
    assert sum(counts["train"].values()) > sum(counts["val"].values()) > 0
    assert mien("data", "split", faces, "--official", "--save", save).code == 0
    assert {n: len(ids) for n, ids in SplitFile.read(save).parts.items()} == {
        "test": 14,
        "train": 56,
        "val": 14,
    }


def test_classes_are_balanced_and_datasets_combined(mien, small_fer2013, tmp_path):
    faces, _ = small_fer2013
    three, even, both = tmp_path / "three", tmp_path / "even", tmp_path / "both"
    labels = ["--labels", "happy+sad+neutral"]
    assert mien("data", "convert", faces, "--out", three, *labels).code == 0
    assert read_store(three).labels.name == "happiness+neutral+sadness"
    sizes = ["--at-most", "smallest", "--at-least", "14"]
    assert mien("data", "balance", three, "--out", even, *sizes).code == 0
    assert set(read_store(even).counts()["train"].values()) == {14}
    code, _, err = mien("data", "combine", three, even, "--out", both)
    assert (code, "more than once" in err) == (2, True)
    other = tmp_path / "ck"
    write_store(dataclasses.replace(read_store(even), name="ck"), other)
    assert mien("data", "combine", three, other, "--out", both, "--as", "all").code == 0
    assert (read_store(both).name, len(read_store(both))) == ("all", 36 + 54)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "--merge", "fear=anger"], "--merge needs the --labels"),
        (["convert", "--labels", "five"], "Unknown label set 'five'"),
        (["convert", "--labels", "four", "--merge", "fear"], "must be given as name=expression"),
        (["split", "--ratio", "80"], "must be like 80:20"),
        (
            ["split", "--ratio", "80:20", "--official"],
            "goes with no --folds, --val, --official or --",
        ),
        (["split", "--ratio", "nan:20"], "--ratio must be like 80:20 or 80:18:2. Got 'nan:20'"),
        (["split", "--seed", "9", "--official"], "--seed is of a split that is made: it goes with"),
        (["audit", "--model", "mien-bas", "--check", "identical"], "did you mean 'mien-base'"),
        (["split", "--keep", "twin"], "did you mean 'twins'"),
        (["split", "--folds", "3"], "needs --fold"),
        (["split", "--folds", "3", "--official"], "Only one of --folds"),
        (["split", "--folds", "99", "--fold", "0"], "2 to the size of the smallest class, 12"),
        (["split", "--test-per-class", "90"], "needs 90 faces of each class"),
        (["split", "--test-per-class", "-5"], "must be 1 or more. Got -5"),
        (["split", "--seed", "-1"], "Invalid value for '--seed'"),
        (["balance", "--at-most", "5", "--seed", "-1"], "Invalid value for '--seed'"),
        (["split", "--from", "none.json"], "none.json cannot be opened"),
        (["balance"], "Nothing to do"),
        (["balance", "--at-most", "few"], "must be a number or 'smallest'"),
        (["combine"], "two or more datasets. Got 1"),
        (["split", "--keep", "subjects"], "84 of its 84 faces have none"),
        (["split", "--layout", "fer"], "Unknown dataset layout 'fer'"),
    ],
)
def test_data_mistakes_are_one_sentence(mien, small_fer2013, tmp_path, arguments, message):
    command, *options = arguments
    code, _, err = mien("data", command, small_fer2013[0], "--out", tmp_path / "out", *options)
    assert (code, message in err) == (2, True), err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_train_export_and_read_with_the_new_model(mien, small_fer2013, portrait, tmp_path):
    from makers import SMALL_RECIPE

    faces, votes = small_fer2013
    run, model = tmp_path / "run", tmp_path / "own.onnx"
    sets = [part for override in SMALL_RECIPE for part in ("--set", override)]
    data = ["--data", faces, "--votes", votes]
    code, out, err = mien("train", "recipes/mien-base.toml", *data, "--run", run, *sets)
    assert code == 0, err
    assert "basic7" in out
    assert "balanced_accuracy" in out
    code, _, err = mien("train", "mien-base", *data, "--run", run, *sets)
    assert (code, "--resume" in err) == (2, True)
    card = tmp_path / "own.md"
    assert mien("export", run, "--out", model, "--card", card, "--name", "own").code == 0
    assert card.read_text(encoding="utf-8").startswith("# own\n")
    assert "own" in mien("models", model).out
    assert mien("analyze", portrait, "--model", model).code == 0


def test_training_mistakes_are_one_sentence(mien, small_fer2013, tmp_path):
    faces, _ = small_fer2013
    code, _, err = mien("train", "mien-bas", "--data", faces)
    assert (code, "did you mean 'mien-base'" in err) == (2, True)
    arguments = ["train", "mien-base", "--data", faces, "--run", tmp_path / "run"]
    code, _, err = mien(*arguments)
    assert (code, "give --votes" in err) == (2, True)
    code, _, err = mien(*arguments, "--votes", small_fer2013[1])
    assert (code, "training.batch_size must be at most" in err) == (2, True)
    assert not (tmp_path / "run").exists()
    code, _, err = mien("train", "mien-base", "--data", faces, "--set", "training.epoch=1")
    assert (code, "did you mean 'epochs'" in err) == (2, True)
    code, _, err = mien("export", tmp_path / "no-run", "--out", tmp_path / "x.onnx")
    assert (code, "is not a run" in err) == (2, True)
    data = ["--data", faces, "--votes", small_fer2013[1], "--set", "training.batch_size=8"]
    code, _, err = mien("train", "mien-base", *data, "--run", tmp_path / "new", "--resume")
    assert (code, "holds no run to resume" in err) == (2, True)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").touch()
    code, _, err = mien("train", "mien-base", *data, "--run", tmp_path / "photos")
    assert (code, "is not a run and not empty" in err) == (2, True)
    assert len(list((tmp_path / "photos").iterdir())) == 1


def test_training_says_what_the_exported_model_will_not_do(mien, small_dataset, tmp_path):
    settings = Preparation(illumination="clahe", level_eyes=True)
    history = (f"{PREPARED}{settings.summary}): 84 pictures",)
    write_store(dataclasses.replace(small_dataset, history=history), tmp_path / "faces")
    said = "prepared with illumination clahe and eyes level: photos given to the exported model"
    write_store(small_dataset, tmp_path / "plain")
    for faces, expected in (("faces", True), ("plain", False)):
        command = ["train", "mien-base", "--data", tmp_path / faces, "--run", tmp_path / "run"]
        code, _, err = mien(*command, "--set", "training.batch_size=99")
        assert (code, said in err) == (2, expected)


@pytest.mark.parametrize("folder", ["/proc/here", "{file}/here"])
def test_what_cannot_be_written_is_one_sentence(mien, portrait, small_model, tmp_path, folder):
    (tmp_path / "file").write_text("x")
    folder = folder.format(file=tmp_path / "file")
    for arguments in (
        ["demo", "--out", folder],
        ["analyze", portrait, "--model", small_model, "--out", f"{folder}/r.csv"],
        ["analyze", portrait, "--model", small_model, "--annotated", folder],
        ["data", "convert", portrait.parent, "--out", folder],
    ):
        code, _, err = mien(*arguments)
        assert code in (1, 2), arguments
        assert "Error: " in err
        assert "Traceback" not in err


def test_brackets_in_names_are_not_markup(mien, portrait, small_model, tmp_path):
    folder = tmp_path / "[/bold] [red]"
    folder.mkdir(parents=True)
    photo = folder / "[x] a.jpg"
    shutil.copy(portrait, photo)
    out = folder / "[b].csv"
    code, printed, err = mien("analyze", photo, "--model", small_model, "--out", out)
    assert code == 0
    assert "[x] a.jpg" in printed
    assert f"Wrote {out}" in err


def test_marked_copies_never_replace_photos(mien, photos, small_model, monkeypatch):
    monkeypatch.chdir(photos.parent)
    before = (photos / "a.jpg").read_bytes()
    code, _, err = mien("analyze", "photos", "--model", small_model, "--annotated", ".")
    assert (code, "holds other files" in err) == (2, True)
    assert (photos / "a.jpg").read_bytes() == before


def test_a_marked_copy_never_replaces_a_photo_among_earlier_copies(
    mien, portrait, small_model, tmp_path
):
    marked = tmp_path / "marked"
    command = ("--model", small_model, "--annotated", marked)
    assert mien("analyze", portrait, *command).code == 0
    photo = Path(shutil.copy(portrait, marked / "new.jpg"))
    code, _, err = mien("analyze", photo, *command)
    said = f"The marked copy of {photo} would replace it: give another folder."
    assert (code, said in err) == (2, True)
    assert photo.read_bytes() == portrait.read_bytes()


def test_of_many_photos_only_what_is_shown_is_held():
    def records():
        for number in range(20_000):
            status = "no face" if number % 10_000 else "error"
            yield {"source": f"{number}.jpg", "status": status, "message": "It is empty."}

    found = Found()
    tracemalloc.start()
    found.take(records(), EXPRESSIONS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.photos, found.rows, len(found.errors)) == (20_000, 20_000, 2)
    assert [row["source"] for row in found.first] == [f"{number}.jpg" for number in range(50)]
    assert peak < 500_000


def test_of_many_photos_the_table_shows_the_first(mien, small_model, tmp_path):
    pixels = PIL.Image.fromarray(np.full((40, 40, 3), 90, np.uint8))
    for number in range(53):
        pixels.save(tmp_path / f"{number:02}.png")
    code, out, _ = mien("analyze", tmp_path, "--model", small_model)
    assert (code, "49.png" in out, "50.png" in out) == (0, True, False)
    assert "… and 3 more rows; --out FILE writes all" in out


@pytest.mark.skipif(os.name != "posix", reason="a name as only POSIX allows")
def test_a_name_with_a_carriage_return_is_one_row_on_standard_output(
    mien, portrait, small_model, tmp_path
):
    photo = shutil.copy(portrait, tmp_path / "a\rb.jpg")
    _, out, _ = mien("analyze", photo, "--model", small_model, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out, newline=""))
    assert row["source"] == str(photo)


def test_a_format_and_a_suffix_agree(mien, portrait, small_model, tmp_path):
    arguments = ["analyze", portrait, "--model", small_model, "--format", "json", "--out"]
    code, _, err = mien(*arguments, tmp_path / "r.csv")
    assert (code, "named as csv" in err) == (2, True)
    assert mien(*arguments, tmp_path / "r.txt").code == 0


def test_resuming_with_other_inputs_is_refused(mien, photos, small_model, monkeypatch):
    out = photos.parent / "readings.csv"
    interrupt_after_three(monkeypatch)
    assert mien("analyze", photos, "--model", small_model, "--out", out).code == 130
    monkeypatch.undo()
    other = ["analyze", photos / "more", "--model", small_model, "--out", out, "--resume"]
    code, _, err = mien(*other)
    assert (code, "was begun with inputs" in err) == (2, True)


def test_help_shows_the_commands_by_what_they_are_for(mien):
    code, out, _ = mien("--help")
    assert code == 0
    for word in ("analyze", "demo", "models", "train", "export", "data", "Reading expressions"):
        assert word in out
    assert mien("--version").out.startswith("mien ")


def test_the_demo_leaves_what_it_says(mien, tmp_path, shipped_base):
    out = tmp_path / "demo"
    code, printed, err = mien("demo", "--out", out)
    assert code == 0
    assert "grace_hopper.jpg" in printed
    for name in ("annotated.png", "probabilities.png"):
        assert PIL.Image.open(out / name).size[0] > 400
        assert name in err
    (row,) = table(out / "readings.csv")
    (picture,) = json.loads((out / "readings.json").read_text())
    assert row["expression"] == picture["faces"][0]["expression"]
    assert mien("demo", "--out", out).code == 0


def test_importing_and_reading_need_no_training_framework(portrait, small_model):
    code = (
        "import sys, mien; assert not {'cv2', 'onnxruntime', 'pydantic'} & set(sys.modules);"
        f"mien.Analyzer({str(small_model)!r}).analyze({str(portrait)!r});"
        "assert not {'torch', 'lightning', 'pandas', 'matplotlib', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_judging_a_file_does_not_wait_for_lightning():
    code = (
        "import sys, mien.evaluation.review, mien.evaluation.comparison_page, mien.export.export;"
        "assert not {'lightning', 'kornia'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_control_c_keeps_what_is_done(photos, small_model, portrait):
    for number in range(300):
        os.link(photos / "a.jpg", photos / f"copy{number:03d}.jpg")
    out = photos.parent / "readings.csv"
    command = [sys.executable, "-m", "mien", "analyze", photos, "--model", small_model]
    process = subprocess.Popen([*command, "--out", out], stderr=subprocess.PIPE, text=True)
    partial = out.with_name(out.name + ".partial")
    deadline = time.monotonic() + 60
    while not (partial.exists() and partial.read_bytes().count(b"\n") > 3):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in err
    assert not out.exists()
    assert partial.exists()


@pytest.mark.slow
def test_control_c_in_training_says_how_to_go_on(small_fer2013, tmp_path):
    from makers import SMALL_RECIPE

    faces, votes = small_fer2013
    sets = [part for o in [*SMALL_RECIPE, "training.epochs=500"] for part in ("--set", o)]
    command = [sys.executable, "-m", "mien", "train", "mien-base", "--data", faces]
    command += ["--votes", votes, "--run", tmp_path / "run", *sets]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume continues" in err
    assert "Traceback" not in err


def test_a_dataset_is_audited_and_cleaned(mien, small_fer2013, tmp_path):
    faces, votes = small_fer2013
    report = tmp_path / "report"
    assert mien("data", "explore", faces, "--out", tmp_path / "look").code == 0
    assert (tmp_path / "look" / "explore.html").exists()
    code, out, err = mien("data", "audit", faces, "--votes", votes, "--out", report)
    assert code == 0
    assert "redundant images" in out
    assert "audit.html" in err
    findings = ["--findings", report / "findings.csv", "--out", tmp_path / "clean"]
    code, out, _ = mien("data", "clean", faces, *findings, "--drop", "identical")
    assert code == 0
    assert "cleaned: dropped 1 identical" in out
    alone = ["--drop", "identical", "--split", "train", "--overwrite"]
    code, out, _ = mien("data", "clean", faces, *findings, *alone)
    assert code == 0
    assert "cleaned of train: dropped 1 identical" in " ".join(out.split())
    code, _, err = mien("data", "clean", faces, *findings, *alone, "--split", "tets")
    assert (code, "did you mean 'test'" in err) == (2, True)
    code, _, err = mien("data", "clean", faces, *findings, "--drop", "identica", "--overwrite")
    assert (code, "did you mean 'identical'" in err) == (2, True)
    code, _, err = mien("data", "audit", faces, "--check", "simila", "--out", tmp_path / "x")
    assert (code, "did you mean 'similar'" in err) == (2, True)


def test_an_expected_figure_without_test_faces_is_not_measured():
    from mien.apps.cli.train import _compare
    from mien.recipe import find_recipe, load_recipe

    expected = load_recipe(find_recipe("mien-base")).expected[0]
    assert "expected 0.874, not measured" in _compare(expected, [])


ENCODED = "import sys; from mien.apps.cli.main import main; sys.argv[0] = 'mien'; main()"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", ""])
def test_any_letter_is_written_whatever_the_system_s_encoding_is(portrait, tmp_path, encoding):
    photo = tmp_path / "мир.jpg"
    photo.write_bytes(portrait.read_bytes())
    own = {"PYTHONIOENCODING": encoding} if encoding else {"LC_ALL": "C", "PYTHONUTF8": "0"}
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONIOENCODING"} | own
    for more in ((), ("--format", "csv")):
        command = [sys.executable, "-c", ENCODED, "analyze", str(photo), *more]
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        text = done.stdout.decode(encoding or "utf-8")
        # What the shell gives in a C locale are no letters, so that there is no name to find.
        assert ("\\u043c\\u0438\\u0440.jpg" in text) == bool(encoding)
        assert "sadness" in text


def test_agreement_needs_scipy_and_no_video(monkeypatch):
    """Either extra brings SciPy."""
    without = {"av"}
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in without else name)
    extras.need("video", "Agreement", ("scipy",))
    with pytest.raises(MissingExtraError, match="video"):
        extras.need("video", "Videos")
    without.add("scipy")
    with pytest.raises(MissingExtraError, match="Agreement"):
        extras.need("video", "Agreement", ("scipy",))
