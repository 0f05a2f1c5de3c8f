"""The command that makes a dataset of photographs."""

import csv
from collections import Counter

import cv2
import numpy as np
import pytest

import makers
from makers import IMED_FRAME
from mien.data.store import read_store
from mien.inference.pictures import read_picture

WEIGHTS = "face_detection_yunet_2026may.onnx"


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


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
            assert all(abs(a - b) <= 4 for a, b in zip(found, IMED_FRAME))
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
    size = (
        720 - IMED_FRAME.left - IMED_FRAME.right,
        480 - IMED_FRAME.top - IMED_FRAME.bottom,
    )
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    makers.write_photo(path, makers.framed(small, IMED_FRAME))
