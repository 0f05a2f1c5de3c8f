"""IMED, and trees that a pattern describes."""

import shutil
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import makers
from mien.data.pattern import PathPattern
from mien.data.prepare.run import list_pictures
from mien.data.readers import READERS, find_reader, read_dataset
from mien.errors import DataError, MienError
from mien.labels import ClassNames, parse_expression

INDONESIAN = {
    "marah": "anger",
    "jijik": "disgust",
    "takut": "fear",
    "senang": "happiness",
    "bahagia": "happiness",
    "sedih": "sadness",
    "terkejut": "surprise",
    "kaget": "surprise",
    "netral": "neutral",
}

part = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")


@pytest.fixture
def imed(tmp_path):
    """Two subjects and nine spellings, grey pictures of 12x8 pixels."""
    for subject in ("S01", "S02"):
        for number, name in enumerate(INDONESIAN):
            picture = np.full((8, 12, 3), 20 * number, np.uint8)
            makers.write_photo(tmp_path / "IMED" / subject / name / "001.jpg", picture)
    return tmp_path / "IMED"


@pytest.mark.parametrize(("name", "expression"), INDONESIAN.items())
def test_indonesian_names_are_understood(name, expression):
    assert parse_expression(name.capitalize()) == expression


def test_subject_and_emotion_are_in_the_path(imed):
    archive = shutil.make_archive(str(imed), "zip", imed.parent, imed.name)
    for path in (imed, archive):
        dataset = read_dataset(path)
        assert dataset.name == "imed"
        assert dataset.labels.name == "basic7"
        assert dataset.images.shape == (18, 8, 12)
        assert set(dataset.subjects) == {"S01", "S02"}
        assert dataset.counts()[""]["happiness"] == 4
    assert dataset.ids[0] == "IMED/S01/bahagia/001.jpg"


def test_split_folders_are_not_taken_for_subjects(imed):
    for subject, split in (("S01", "Train"), ("S02", "test")):
        (imed / subject).rename(imed / split)
    assert read_dataset(imed).counts().keys() == {"train", "test"}
    (imed / "readme.txt").write_text("about")
    archive = shutil.make_archive(str(imed), "zip", imed.parent, imed.name)
    assert find_reader(Path(archive))[0] == "folder"


@pytest.mark.parametrize(
    ("name", "reader"),
    [("imed", "imed"), ("my-IMED_v2", "imed"), ("timed", "folder"), ("photos", "folder")],
)
def test_it_is_known_by_its_name(imed, name, reader):
    assert find_reader(imed.rename(imed.with_name(name)))[0] == reader


@pytest.mark.parametrize(
    ("pattern", "path", "wanted"),
    [
        ("{subject}/{emotion}/{name}", "top/S01/happy/003.jpg", ("S01", "happy", "")),
        ("{emotion}/{name}", "S01/happy/003.jpg", ("", "happy", "")),
        ("{subject}_{emotion}_{}", "any/S01_happy_003.jpg", ("S01", "happy", "")),
        ("{subject}_{emotion}_*.JPG", "S01_happy_003.jpg", ("S01", "happy", "")),
        ("{subject}_{emotion}", "S01_happy.jpg", ("S01", "happy", "")),
        ("{split}/{}/{emotion}-{subject}.png", "Test/x/sad-4.png", ("4", "sad", "Test")),
        ("{subject} ({emotion}).{}", "a (sad).1.tiff", ("a", "sad", "")),
    ],
)
def test_patterns_find_their_parts(pattern, path, wanted):
    found = PathPattern(pattern).match(PurePosixPath(path))
    assert tuple(found.get(key, "") for key in ("subject", "emotion", "split")) == wanted


@given(subject=part, emotion=part, name=part, above=st.lists(part, max_size=2))
def test_a_path_written_by_a_pattern_is_read_by_it(subject, emotion, name, above):
    path = PurePosixPath(*above, subject, f"{emotion}_{name}.jpg")
    found = PathPattern("{subject}/{emotion}_{name}").match(path)
    assert (found["subject"], found["emotion"]) == (subject, emotion)


@pytest.mark.parametrize("path", ["happy/003.jpg", "S01_happy.jpg", "S01/happy_003.jpg"])
def test_other_paths_do_not_fit(path):
    assert PathPattern("{subject}_{emotion}_{}").match(PurePosixPath(path)) is None


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{subject}/{name}", "must hold {emotion}"),
        ("{subjekt}/{emotion}", "Unknown placeholder 'subjekt': did you mean 'subject'"),
        ("{emotion}/{emotion}", "must hold {emotion} only once"),
        ("{subject}{emotion}", "must hold something between two placeholders"),
        ("{emotion}/{name", "has a brace that belongs to no placeholder"),
    ],
)
def test_what_is_no_pattern_says_why(pattern, message):
    with pytest.raises(DataError, match=message):
        PathPattern(pattern)


def test_a_pattern_is_given_for_any_tree(tmp_path):
    for name in ("S01_happy_1.jpg", "S02_sedih_1.jpg"):
        touch(tmp_path / "flat" / "train" / name)
    touch(tmp_path / "flat" / "readme.txt")
    pattern = "{split}/{subject}_{emotion}_{}"
    raw = list_pictures(tmp_path / "flat", pattern=pattern)
    assert (raw.name, raw.labels.name) == ("pattern", "four")
    found = [(e.subject, e.expression, e.split) for e in raw.entries]
    assert found == [("S01", "happiness", "train"), ("S02", "sadness", "train")]
    assert list_pictures(tmp_path / "flat", "imed", pattern=pattern).name == "imed"
    with pytest.raises(DataError, match="goes with the layouts 'pattern' and 'imed', not 'folder'"):
        list_pictures(tmp_path / "flat", "folder", pattern="{emotion}/{name}")


def test_a_picture_that_does_not_fit_is_named(imed):
    touch(imed / "cover.jpg")
    with pytest.raises(
        DataError,
        match=r"wanted paths like '\{subject\}/\{emotion\}/\{name\}', found 'cover.jpg' "
        r"\(of 19 pictures, 1 do not fit\)",
    ):
        list_pictures(imed)


def test_a_pattern_that_nothing_fits_says_so(imed, tmp_path):
    with pytest.raises(DataError, match=r"'\{subject\}-\{emotion\}', found 'S01/bahagia/001.jpg'"):
        list_pictures(imed, pattern="{subject}-{emotion}")
    touch(tmp_path / "empty" / "notes.txt")
    with pytest.raises(DataError, match="found no picture"):
        list_pictures(tmp_path / "empty", "imed")


def test_unknown_classes_and_splits_are_listed(imed):
    (imed / "S01" / "marah").rename(imed / "S01" / "ngambek")
    with pytest.raises(MienError, match="unknown class names 'ngambek'"):
        list_pictures(imed)
    assert list_pictures(imed, names=ClassNames({"ngambek": "anger"})).entries
    with pytest.raises(DataError, match="Unknown split 'S01'"):
        list_pictures(imed, "imed", ClassNames({"ngambek": "anger"}), "{split}/{emotion}/{name}")


def test_readers_of_pictures_are_registered():
    assert {"imed", "pattern"} <= set(READERS)
