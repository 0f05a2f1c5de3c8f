"""From photographs to faces: each step by itself, whole datasets, interruptions, the command."""

import csv
import io
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
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

import makers
from living import all_end, children_of
from mien.data.prepare import run as run_module
from mien.data.prepare.eyes import EyeFinder, tilt
from mien.data.prepare.frame import BLACK, CLEAR, NO_FRAME, SMALLEST, Frame, find_frame
from mien.data.prepare.illumination import ILLUMINATIONS
from mien.data.prepare.level import levelled
from mien.data.prepare.outcome import Outcome
from mien.data.prepare.run import list_pictures, prepare, prepared_dataset
from mien.data.prepare.settings import PREPARED, Preparation, done_before
from mien.data.prepare.workers import prepare_all
from mien.data.store import read_store
from mien.errors import DataError, MienError
from mien.inference.detectors import DETECTORS
from mien.inference.face import Box, Face
from mien.inference.journal import Journal
from mien.inference.pictures import read_picture
from mien.preprocess import Preprocess, Square, grey

FRAME = Frame(30, 44, 26, 40)
WEIGHTS = "face_detection_yunet_2026may.onnx"
FAST = Preparation(detector="none")

widths = st.integers(0, 40)
frames = st.builds(Frame, widths, widths, widths, widths)


@pytest.fixture(scope="session")
def portrait_pixels(portrait):
    return read_picture(portrait)


@pytest.fixture(scope="session")
def photos(tmp_path_factory, portrait_pixels):
    """A tree like IMED's: five photos with a face, one without, one broken, one no picture."""
    top = tmp_path_factory.mktemp("raw") / "IMED"
    for number, (subject, emotion) in enumerate(
        [
            ("S01", "senang"),
            ("S01", "sedih"),
            ("S02", "senang"),
            ("S02", "marah"),
            ("S02", "netral"),
        ]
    ):
        photo = makers.photograph(portrait_pixels, FRAME, 3 * number)
        makers.write_photo(top / subject / emotion / "1.jpg", photo)
    wall = cv2.copyMakeBorder(
        np.full((420, 640, 3), 140, np.uint8), 30, 30, 40, 40, cv2.BORDER_CONSTANT
    )
    makers.write_photo(top / "S01" / "marah" / "wall.jpg", wall)
    (top / "S01" / "marah" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (top / "S01" / "marah" / "notes.txt").write_text("no picture")
    return top


@pytest.fixture
def faces(tmp_path):
    """Forty small pictures that are faces already, in four classes."""
    for number in range(40):
        name = ("angry", "happy", "neutral", "sad")[number % 4]
        image = makers.drawn_face(number % 4, np.random.default_rng(number))
        makers.write_photo(tmp_path / "crops" / name / f"{number:02d}.png", image)
    return tmp_path / "crops"


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def framed(picture, frame, black=0):
    top, right, bottom, left = frame
    colour = (black,) * 3
    return cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)


def bright_picture(seed, height=60, width=90):
    """Noise whose border is not black, though half of it may be."""
    generator = np.random.default_rng(seed)
    picture = generator.integers(0, 256, (height, width, 3)).astype(np.uint8)
    picture[:, ::2] = np.maximum(picture[:, ::2], CLEAR + 1)
    picture[::2] = np.maximum(picture[::2], CLEAR + 1)
    return picture


# Frames


@given(seed=st.integers(0, 99), frame=frames, black=st.integers(0, BLACK))
def test_a_drawn_frame_is_found_exactly(seed, frame, black):
    picture = bright_picture(seed)
    photo = framed(picture, frame, black)
    assert find_frame(photo) == frame
    assert (find_frame(photo).cut(photo) == picture).all()


@given(seed=st.integers(0, 99))
def test_nothing_is_cut_where_there_is_no_frame(seed):
    assert find_frame(bright_picture(seed)) == NO_FRAME
    assert find_frame(bright_picture(seed)[..., 0]) == NO_FRAME


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    seed=st.integers(0, 99),
    brightest=st.integers(1, 255),
)
def test_any_picture_keeps_something(height, width, seed, brightest):
    picture = np.random.default_rng(seed).integers(0, brightest + 1, (height, width, 3))
    rest = find_frame(picture.astype(np.uint8)).cut(picture)
    assert min(rest.shape[:2]) >= min(SMALLEST, height, width)


@pytest.mark.parametrize("quality", [75, 90, 95])
@given(frame=frames, black=st.integers(0, 8))
def test_compression_does_not_hide_a_frame(portrait_pixels, quality, frame, black):
    photo = framed(makers.photograph(portrait_pixels), frame, black)
    small = io.BytesIO()
    PIL.Image.fromarray(photo).save(small, "JPEG", quality=quality)
    found = find_frame(read_picture_bytes(small))
    # Of one thinner than a block of JPEG the blur may leave nothing that ends at once.
    assert all(abs(a - b) <= 4 or (a == 0 and b < 8) for a, b in zip(found, frame))


def read_picture_bytes(content):
    return np.asarray(PIL.Image.open(content).convert("RGB"))


@pytest.mark.parametrize("value", [0, 3, BLACK])
def test_a_black_picture_is_left_alone(value):
    assert find_frame(np.full((48, 72, 3), value, np.uint8)) == NO_FRAME


def test_a_dark_picture_without_a_frame_is_left_alone():
    generator = np.random.default_rng(0)
    night = generator.normal(14, 6, (240, 320, 3)).clip(0, 255).astype(np.uint8)
    assert find_frame(night) == NO_FRAME
    # Light that fades away towards the edges, as around a lamp.
    y, x = np.mgrid[-120:120, -160:160]
    lamp = (200 * np.exp(-(x**2 + y**2) / 2 / 45**2)).astype(np.uint8)
    assert find_frame(lamp) == NO_FRAME


def test_specks_in_a_frame_do_not_count(portrait_pixels):
    photo = makers.photograph(portrait_pixels, FRAME)
    photo[5, 300], photo[200, 10] = 255, 255
    assert find_frame(photo) == FRAME


# Light, eyes, levelling


@pytest.mark.parametrize("name", sorted(ILLUMINATIONS))
def test_light_is_evened_out(name):
    dark = (makers.drawn_face(2, np.random.default_rng(0)) // 4).astype(np.uint8)
    lit = ILLUMINATIONS[name](dark, 0.5)
    assert (lit.shape, lit.dtype) == (dark.shape, np.uint8)
    assert (lit == dark).all() if name == "none" else lit.std() > 1.3 * dark.std()


def test_gamma_keeps_black_and_white():
    grades = np.arange(256, dtype=np.uint8)[None]
    lit = ILLUMINATIONS["gamma"](grades, 0.5)[0]
    assert (lit[0], lit[255], lit[64]) == (0, 255, 128)
    assert (ILLUMINATIONS["gamma"](grades, 1.0) == grades).all()


@pytest.mark.parametrize(
    ("eyes", "degrees"), [(((0, 0), (5, 0)), 0), (((0, 0), (5, 5)), 45), (((3, 9), (3, 1)), -90)]
)
def test_tilt_is_measured_downwards(eyes, degrees):
    assert tilt(eyes) == pytest.approx(degrees)


@given(x=st.integers(-20, 40), y=st.integers(-20, 40), side=st.integers(8, 50))
def test_levelling_what_is_level_is_cropping(x, y, side):
    picture = grey(bright_picture(1))
    square = Square(x=x, y=y, side=side)
    assert (levelled(picture, square, 0) == Preprocess(size=side).crop(picture, square)).all()


@pytest.mark.parametrize("degrees", [-90, 90])
def test_levelling_turns_about_the_middle(degrees):
    picture = grey(bright_picture(2, 61, 61))
    turned = levelled(picture, Square(x=10, y=12, side=31), degrees)
    turns = 1 if degrees > 0 else -1
    difference = turned.astype(int) - np.rot90(picture[12:43, 10:41], turns)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("degrees", [-10, -5, 5, 9])
def test_the_tilt_of_a_face_is_that_of_its_eyes(portrait_pixels, degrees):
    here, there = (_eyes(makers.photograph(portrait_pixels, FRAME, d)) for d in (0, degrees))
    # The portrait's head is inclined by itself.
    assert tilt(there) - tilt(here) == pytest.approx(-degrees, abs=3)


@pytest.mark.parametrize("degrees", [-9, 8])
def test_eyes_become_level(portrait_pixels, degrees):
    photo = makers.photograph(portrait_pixels, FRAME, degrees)
    (face,) = DETECTORS["haar"](None).detect(photo)
    wide = Square(x=face.square.x - 60, y=face.square.y - 60, side=face.square.side + 120)
    upright = levelled(photo, wide, tilt(_eyes(photo)))
    assert abs(tilt(_eyes(upright))) < 3


def _eyes(photo):
    (face,) = DETECTORS["haar"](None).detect(photo)
    return EyeFinder().find(grey(photo), face)


def test_a_face_without_eyes_has_none():
    face = Face(Box(5, 5, 40, 40), 1.0, Square(x=5, y=5, side=40))
    assert EyeFinder().find(np.full((60, 60), 99, np.uint8), face) is None


@pytest.mark.data
def test_yunet_tells_the_eyes_itself(portrait_pixels, shared_models):
    (face,) = DETECTORS["yunet"](shared_models / WEIGHTS).detect(portrait_pixels)
    haar = EyeFinder().find(
        grey(portrait_pixels), DETECTORS["haar"](None).detect(portrait_pixels)[0]
    )
    distances = [math.dist(*pair) for pair in zip(face.eyes, haar)]
    assert max(distances) < 0.08 * face.box.width


# Whole datasets


def test_faces_are_cut_out_of_framed_photographs(photos, tmp_path, portrait_pixels):
    raw = list_pictures(photos)
    outcomes = prepare(raw, Preparation(size=64, level_eyes=True), tmp_path / "out")
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
    assert all(abs(a - b) <= 4 for a, b in zip(face.frame, FRAME))
    x, y, width, height = face.box
    middle = (x + width / 2, y + height / 2)
    scale = (480 - FRAME.top - FRAME.bottom) / 600
    wanted = (360 - 2 + (266 - 256) * scale, FRAME.top + 220 * scale)
    assert math.dist(middle, wanted) < 25


def test_faces_of_any_size_come_back_from_a_journal():
    face = makers.drawn_face(1, np.random.default_rng(0))
    given = Outcome("a", "ok", face, 2, (1.5, 2, 3, 4), FRAME, -3.25, True, "two")
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
        prepared_dataset(raw, prepare(raw, settings, tmp_path / f"{jobs}", jobs=jobs), settings)
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
    whole = prepared_dataset(raw, prepare(raw, FAST, tmp_path / "whole"), FAST)
    write = Journal.write

    def interrupt(self, record):
        if len(self) == 7:
            raise KeyboardInterrupt
        write(self, record)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare(raw, FAST, out)
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
        prepare(raw, FAST, out)
    with pytest.raises(MienError, match="was begun with size 48, and this run has 64"):
        prepare(raw, Preparation(detector="none", size=64), out, resume=True)
    again = prepared_dataset(raw, prepare(raw, FAST, out, resume=True), FAST)
    assert len(done) == 40 - 6
    assert again.fingerprint == whole.fingerprint


@pytest.fixture(scope="module")
def many(photos, tmp_path_factory):
    """A tree with 27 photographs, and the fingerprint of its faces."""
    top = tmp_path_factory.mktemp("many") / "IMED"
    for number in range(9):
        shutil.copytree(photos / "S02", top / f"S{number}")
    raw = list_pictures(top)
    outcomes = list(prepare_all(raw.entries, Preparation()))
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


# Wrong input


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


# The command


def test_the_command_leaves_a_store_a_page_and_a_table(mien, photos, tmp_path):
    out = tmp_path / "store"
    code, shown, notes = mien("data", "prepare", photos, "--out", out, "--jobs", "1")
    assert code == 1
    assert "broken.jpg" in notes
    assert "notes.txt" in notes
    assert "happiness" in shown
    dataset = read_store(out)
    assert (dataset.name, len(dataset)) == ("imed", 5)
    rows = table(tmp_path / "store-report" / "pictures.csv")
    assert len(rows) == 8
    wall = rows["S01/marah/wall.jpg"]
    assert (wall["status"], wall["label"], wall["frame_top"]) == ("no face", "anger", "30")
    assert rows["S01/marah/notes.txt"]["note"].startswith(str(photos / "S01"))
    page = (tmp_path / "store-report" / "prepare.html").read_text(encoding="utf-8")
    assert "No face (1)" in page
    assert "Unreadable (2)" in page
    assert page.count("data:image/png;base64") == 6
    assert not (tmp_path / "store.partial").exists()
    assert mien("data", "prepare", photos, "--out", out)[0] == 2
    assert "nothing to resume" in mien("data", "prepare", photos, "--out", out, "--resume")[2]
    code, _, notes = mien("data", "prepare", photos, "--out", out, "--overwrite", "--jobs", "1")
    assert code == 1


def test_nothing_found_is_an_error_with_a_report(mien, tmp_path):
    wall = np.full((480, 720, 3), 140, np.uint8)
    makers.write_photo(tmp_path / "walls" / "happy" / "1.jpg", wall)
    out = tmp_path / "store"
    code, _, notes = mien("data", "prepare", tmp_path / "walls", "--out", out)
    assert code == 2
    assert "nothing can be prepared: 1 pictures, 0 with a face" in notes
    assert "happy/1.jpg" in (tmp_path / "store-report" / "prepare.html").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["store-report", "walls"]


@pytest.mark.data
@pytest.mark.slow
def test_from_photographs_to_a_dataset(mien, tmp_path, shared_media):
    top = _imed_of_media(tmp_path / "IMED", shared_media)
    out, parts = tmp_path / "store", tmp_path / "split"
    assert mien("data", "prepare", top, "--out", out, "--level-eyes", "--jobs", "2")[0] == 1
    dataset = read_store(out)
    rows = table(tmp_path / "store-report" / "pictures.csv")
    assert Counter(row["status"] for row in rows.values()) == {
        "ok": 3 * 7 * 2 + 2,
        "no face": 3,
        "unreadable": 1,
    }
    assert Counter(dataset.subjects.tolist()) == {"S01": 15, "S02": 15, "S03": 14}
    assert int(rows["S01/senang/group.jpg"]["faces"]) >= 4
    for row in rows.values():
        if row["status"] != "unreadable":
            found = [int(row[f"frame_{side}"]) for side in ("top", "right", "bottom", "left")]
            assert all(abs(a - b) <= 4 for a, b in zip(found, FRAME))
    # One man, 42 frames of one clip: their faces are alike, whichever frame.
    clip = dataset.images[[name.endswith(("0.jpg", "1.jpg")) for name in dataset.ids]]
    mean = clip.mean(axis=0).ravel()
    assert min(np.corrcoef(mean, face.ravel())[0, 1] for face in clip) > 0.6
    assert mien("data", "audit", out, "--out", tmp_path / "audit")[0] == 0
    split = mien("data", "split", out, "--keep", "subjects", "--ratio", "60:40", "--out", parts)
    assert split[0] == 0
    divided = read_store(parts)
    assert len(set(zip(divided.subjects.tolist(), divided.splits.tolist()))) == 3
    assert mien("data", "explore", parts, "--out", tmp_path / "explore")[0] == 0


@pytest.mark.data
def test_yunet_prepares_photographs_too(mien, tmp_path, shared_media, shared_models):
    top = _imed_of_media(tmp_path / "IMED", shared_media)
    options = ["--pattern", "{emotion}/{name}", "--detector", "yunet", "--level-eyes"]
    options += ["--detector-weights", shared_models / WEIGHTS, "--out", tmp_path / "store"]
    assert mien("data", "prepare", top / "S01", *options, "--jobs", "1")[0] == 0
    rows = table(tmp_path / "store-report" / "pictures.csv")
    assert Counter(row["status"] for row in rows.values()) == {"ok": 15, "no face": 1}
    assert rows["senang/group.jpg"]["faces"] == "5"
    assert read_store(tmp_path / "store").name == "pattern"


def _imed_of_media(top, media):
    """Three subjects, seven emotions, two frames of a clip each; groups, clouds, a broken file."""
    frames = _frames(media / "single_face.mp4")[:42]
    clouds = _frames(media / "no_face.mp4")[:3]
    emotions = ("marah", "jijik", "takut", "senang", "sedih", "terkejut", "netral")
    for number, frame in enumerate(frames):
        subject, emotion, index = number // 14 + 1, emotions[number // 2 % 7], number % 2
        _write(top / f"S{subject:02d}" / emotion / f"{index}.jpg", frame)
    for number, cloud in enumerate(clouds, start=1):
        _write(top / f"S{number:02d}" / "sedih" / "clouds.jpg", cloud)
    _write(top / "S01" / "senang" / "group.jpg", read_picture(media / "multi_face.jpg"))
    _write(top / "S02" / "senang" / "single.jpg", read_picture(media / "single_face.jpg"))
    (top / "S03" / "marah" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    return top


def _frames(path):
    clip, frames = cv2.VideoCapture(str(path)), []
    while (found := clip.read())[0]:
        frames.append(cv2.cvtColor(found[1], cv2.COLOR_BGR2RGB))
    return frames


def _write(path, picture):
    size = (720 - FRAME.left - FRAME.right, 480 - FRAME.top - FRAME.bottom)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    makers.write_photo(path, framed(small, FRAME))


def test_what_a_model_does_not_repeat_is_told_by_the_history():
    plain = Preparation().summary
    dark = Preparation(illumination="gamma", gamma=0.5).summary
    level = Preparation(detector="yunet", level_eyes=True).summary
    history = [f"{PREPARED}{s}): 3 pictures" for s in (plain, dark, level, level)]
    combined = [f"photos: {step}" for step in history]
    assert done_before(["cleaned: dropped 1 similar", history[0]]) == []
    assert done_before(history) == done_before(combined) == ["illumination gamma 0.5", "eyes level"]
