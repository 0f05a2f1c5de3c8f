"""From photographs to faces: whole datasets, interruptions, wrong input."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

import makers
from living import all_end, children_of
from makers import IMED_FRAME
from mien.data.prepare import run as run_module
from mien.data.prepare.outcome import Outcome
from mien.data.prepare.run import NoFaceError, list_pictures, prepare, prepared_dataset
from mien.data.prepare.settings import PREPARED, Preparation, done_before
from mien.data.prepare.workers import prepare_all
from mien.data.store import read_store
from mien.errors import BusyError, DataError, MienError
from mien.inference.journal import Journal

FAST = Preparation(detector="none")


def came_of(*args, **named):
    with prepare(*args, **named) as outcomes:
        return outcomes


def test_faces_are_cut_out_of_framed_photographs(photos, tmp_path, portrait_pixels):
    raw = list_pictures(photos)
    outcomes = came_of(raw, Preparation(size=64, level_eyes=True), tmp_path / "out")
    assert Counter(o.status for o in outcomes) == {"ok": 5, "no face": 1, "unreadable": 2}
    dataset = prepared_dataset(raw, outcomes, Preparation(size=64, level_eyes=True))
    assert dataset.images.shape == (5, 64, 64)
    assert {s.id: s.expression for s in dataset} == {
        "S01/sedih/1.jpg": "sadness",
        "S01/senang/1.jpg": "happiness",
        "S02/marah/1.jpg": "anger",
        "S02/netral/1.jpg": "neutral",
        "S02/senang/1.jpg": "happiness",
    }
    assert set(dataset.subjects) == {"S01", "S02"}
    assert "8 pictures, 5 with a face" in dataset.history[0]
    # All photos show the same face, tilted by 0 to 12 degrees: levelled, they are alike.
    assert np.corrcoef(dataset.images.reshape(5, -1)).min() > 0.8
    face = next(o for o in outcomes if o.id == "S01/senang/1.jpg")
    assert all(abs(a - b) <= 4 for a, b in zip(face.frame, IMED_FRAME))
    x, y, width, height = face.box
    middle = (x + width / 2, y + height / 2)
    scale = (480 - IMED_FRAME.top - IMED_FRAME.bottom) / 600
    wanted = (360 - 2 + (266 - 256) * scale, IMED_FRAME.top + 220 * scale)
    assert math.dist(middle, wanted) < 25


def test_faces_of_any_size_come_back_from_a_journal():
    face = makers.drawn_face(1, np.random.default_rng(0))
    given = Outcome("a", "ok", face, 2, (1.5, 2, 3, 4), IMED_FRAME, -3.25, True, "two")
    back = Outcome.from_record(json.loads(json.dumps(given.record())))
    assert (back.face == face).all()
    assert {**vars(back), "face": None} == {**vars(given), "face": None}


def test_pictures_that_are_faces_are_only_resized(faces):
    raw = list_pictures(faces)
    outcomes = list(prepare_all(raw.entries, FAST.model_copy(update={"size": 48})))
    for entry, outcome in zip(raw.entries, outcomes):
        assert (outcome.face == cv2.imread(str(entry.file.place), 0)).all()
    small = next(prepare_all(raw.entries, Preparation(detector="none", size=24)))
    assert small.face.shape == (24, 24)


def test_the_number_of_processes_changes_nothing(photos, tmp_path):
    raw = list_pictures(photos)
    settings = Preparation(level_eyes=True, illumination="clahe")
    found = [
        prepared_dataset(raw, came_of(raw, settings, tmp_path / f"{jobs}", jobs=jobs), settings)
        for jobs in (1, 2)
    ]
    assert found[0].fingerprint == found[1].fingerprint


def test_an_archive_gives_the_same_faces(faces):
    archive = shutil.make_archive(str(faces), "zip", faces)
    here, there = (
        [o.face.tobytes() for o in prepare_all(list_pictures(p).entries, FAST, 2)]
        for p in (faces, Path(archive))
    )
    assert here == there


def test_an_interruption_changes_nothing(faces, tmp_path, monkeypatch):
    raw, out = list_pictures(faces), tmp_path / "out"
    whole = prepared_dataset(raw, came_of(raw, FAST, tmp_path / "whole"), FAST)
    write = Journal.write

    def interrupt(self, record):
        if len(self) == 7:
            raise KeyboardInterrupt
        write(self, record)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            came_of(raw, FAST, out)
    partial = out.with_name("out.partial")
    # The machine stopped in the middle of a line.
    partial.write_bytes(partial.read_bytes()[:-9])
    done = []
    monkeypatch.setattr(
        run_module,
        "prepare_all",
        lambda entries, *rest: done.extend(entries) or prepare_all(entries, *rest),
    )
    with pytest.raises(MienError, match="continue it with --resume"):
        came_of(raw, FAST, out)
    with pytest.raises(MienError, match="was begun with size 48, and this run has 64"):
        came_of(raw, Preparation(detector="none", size=64), out, resume=True)
    again = prepared_dataset(raw, came_of(raw, FAST, out, resume=True), FAST)
    assert len(done) == 40 - 6
    assert again.fingerprint == whole.fingerprint
    assert not partial.exists()


def test_faces_are_kept_until_they_are_written_and_nobody_else_writes_there(faces, tmp_path):
    raw, out = list_pictures(faces), tmp_path / "out"
    with pytest.raises(OSError, match="full"), prepare(raw, FAST, out) as outcomes:
        with pytest.raises(BusyError, match="another process"):
            came_of(raw, FAST, out, resume=True)
        raise OSError("The disk is full.")
    assert len(came_of(raw, FAST, out, resume=True)) == len(outcomes)
    with pytest.raises(DataError, match="store"), prepare(raw, FAST, out):
        raise DataError("This is no store.")
    with pytest.raises(NoFaceError), prepare(raw, FAST, out, resume=True):
        raise NoFaceError("No face anywhere.")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(("out", "."))] == []


@pytest.fixture(scope="module")
def many(photos, tmp_path_factory):
    """A tree with 27 photographs, and the fingerprint of its faces."""
    top = tmp_path_factory.mktemp("many") / "IMED"
    for number in range(9):
        shutil.copytree(photos / "S02", top / f"S{number}")
    raw = list_pictures(top)
    outcomes = came_of(raw, Preparation(), top.parent / "whole")
    return top, prepared_dataset(raw, outcomes, Preparation()).fingerprint


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_process_and_is_continued(many, tmp_path, mien, end):
    top, fingerprint = many
    out, partial = tmp_path / "store", tmp_path / "store.partial"
    command = ["data", "prepare", top, "--jobs", "2", "--out", out]
    program = subprocess.Popen(
        [sys.executable, "-m", "mien", *map(str, command)], stderr=subprocess.PIPE
    )
    while not partial.exists() or partial.read_bytes().count(b"\n") < 4:
        assert program.poll() is None
        time.sleep(0.01)
    children = children_of(program.pid)
    program.send_signal(end)
    _, notes = program.communicate()
    if end == signal.SIGINT:
        assert program.returncode == 130
        assert b"--resume continues" in notes
    assert 3 < partial.read_bytes().count(b"\n") < 28
    assert children
    assert all_end(children)
    assert mien(*command, "--resume")[0] == 0
    assert not partial.exists()
    assert read_store(out).fingerprint == fingerprint


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"detector": "harr"}, "Unknown detector 'harr': did you mean 'haar'"),
        ({"illumination": "clahee"}, "Unknown illumination 'clahee': did you mean 'clahe'"),
        ({"size": 7}, "size must be 8 to 512. Got 7"),
        ({"gamma": 0.0}, "gamma must be 0.1 to 10. Got 0"),
        ({"detector": "none", "level_eyes": True}, "levelled only if they are looked for"),
    ],
)
def test_settings_that_cannot_be_done_say_so(wrong, message):
    with pytest.raises(MienError, match=message):
        Preparation(**wrong).check()


def test_faces_in_a_table_are_no_pictures(small_fer2013):
    with pytest.raises(DataError, match="holds faces in a table, not pictures"):
        list_pictures(small_fer2013[0])


def test_a_picture_listed_twice_is_named(faces):
    rows = ["path,label", "crops/sad/03.png,sad", "crops/sad/03.png,happy"]
    (faces.parent / "list.csv").write_text("\n".join(rows))
    with pytest.raises(DataError, match=r"names the picture 'crops/sad/03\.png' more than once"):
        list_pictures(faces.parent / "list.csv")


def test_bad_trees_are_one_sentence(mien, tmp_path, faces):
    empty = tmp_path / "empty"
    empty.mkdir()
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("happy/../../x.png", b"x")
    twice = tmp_path / "twice"
    for name in ("a.png", "A.png"):
        makers.write_photo(twice / "happy" / name, np.full((9, 9), 90, np.uint8))
    odd = shutil.copytree(faces, tmp_path / "odd")
    (odd / "sad").rename(odd / "joyous")
    for path, options, message in (
        (tmp_path / "none", (), "No such file or folder"),
        (empty, (), "holds no folder with pictures"),
        (evil, (), "leads outside the archive"),
        (twice, (), "differ in case only"),
        (odd, (), "unknown class names 'joyous'"),
        (faces, ("--pattern", "{subject}-{emotion}-{}"), "wanted paths like"),
        (faces, ("--gamma", "2"), "--gamma needs --illumination gamma"),
        (faces, ("--detector", "yunet", "--detector-weights", "none.onnx"), "cannot be read"),
        (faces, ("--size", "5000"), "size must be 8 to 512"),
    ):
        code, _, notes = mien("data", "prepare", path, *options, "--out", tmp_path / "out")
        assert code == 2
        assert message in notes
        assert "Traceback" not in notes
        assert not list(tmp_path.glob("out*"))


def test_links_in_circles_and_folders_named_like_pictures_are_no_trouble(faces):
    (faces / "sad" / "again").symlink_to(faces, target_is_directory=True)
    (faces / "sad" / "self.png").symlink_to(faces / "sad" / "self.png")
    (faces / "sad" / "folder.png").mkdir()
    outcomes = list(prepare_all(list_pictures(faces).entries, FAST))
    assert Counter(o.status for o in outcomes) == {"ok": 40, "unreadable": 1}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_picture_that_may_not_be_read_is_listed(faces):
    (faces / "sad" / "03.png").chmod(0)
    outcomes = list(prepare_all(list_pictures(faces).entries, FAST))
    (note,) = [o.note for o in outcomes if o.status == "unreadable"]
    assert note.endswith("Permission denied.")


def test_what_a_model_does_not_repeat_is_told_by_the_history():
    plain = Preparation().summary
    dark = Preparation(illumination="gamma", gamma=0.5).summary
    level = Preparation(detector="yunet", level_eyes=True).summary
    history = [f"{PREPARED}{s}): 3 pictures" for s in (plain, dark, level, level)]
    combined = [f"photos: {step}" for step in history]
    assert done_before(["cleaned: dropped 1 similar", history[0]]) == []
    assert done_before(history) == done_before(combined) == ["illumination gamma 0.5", "eyes level"]
