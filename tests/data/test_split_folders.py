"""One rule of what folders and files say of splits, and what is said where some have none."""

import shutil
from pathlib import PurePosixPath

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.data.hub import split_of
from mien.data.readers import read_dataset
from mien.data.split_names import SPLIT_NAMES, split_in

FACE = cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()

word = st.text("bcfghjkmoqruwxyz", max_size=6)


def faces(top, *paths):
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(FACE)
    return top


@pytest.mark.parametrize(
    ("folders", "split"),
    [
        (("train_set",), "train"),
        (("val_set",), "val"),
        (("TestSet",), "test"),
        (("FER2013Train",), "train"),
        (("FER2013Valid",), "val"),
        (("FER2013Test",), "test"),
        (("test", "train"), "train"),
        (("test", "val"), "val"),
        (("train", "faces"), "train"),
        (("train-test-split", "dev"), "val"),
        (("train_training",), "train"),
        (("my-test-of-training",), ""),
        (("test", "train_val"), ""),
        (("eval",), ""),
        (("trained", "latest"), ""),
        ((), ""),
    ],
)
def test_the_nearest_folder_with_a_word_names_the_split(tmp_path, folders, split):
    assert split_in(folders) == split
    path = "/".join((*folders, "happy", "a.png"))
    top = faces(tmp_path / "top", path, "z/sad/b.png")
    assert read_dataset(top).splits.tolist() == [split, ""]


@pytest.mark.parametrize("below", ["", "dev/", "of/test/"])
def test_folders_that_all_pictures_share_tell_no_split(tmp_path, below):
    top = faces(tmp_path / "my-test-photos", f"{below}happy/a.png", f"{below}sad/b.png")
    (top / "readme.txt").touch()
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path, top.name)
    for path in (archive, top):
        assert read_dataset(path).splits.tolist() == ["", ""]


def test_folders_below_those_that_all_share_tell_it(tmp_path):
    top = faces(
        tmp_path / "my-test-photos", "train/happy/a.png", "train/sad/b.png", "val/sad/c.png"
    )
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path, top.name)
    for path in (archive, top):
        assert read_dataset(path).splits.tolist() == ["train", "train", "val"]


@given(st.sampled_from(sorted(SPLIT_NAMES)), word, st.sampled_from("_- 2."), st.lists(word))
def test_a_word_counts_wherever_it_stands_and_a_part_of_a_word_does_not(name, other, sign, below):
    split = SPLIT_NAMES[name]
    assert split_in([f"{other}{sign}{name.title()}", *below]) == split
    assert split_in([f"{name}{sign}{other}", *below]) == split
    assert split_in([f"x{name}{other}"]) == ""
    assert split_of(PurePosixPath(f"{name}_set", *filter(None, below), "0.parquet")) == split


def test_faces_without_a_split_beside_others_are_counted(tmp_path):
    top = faces(tmp_path, "train/happy/a.png", "test/sad/b.png", "eval/sad/c.png", "eval/sad/d.png")
    dataset = read_dataset(top)
    assert dataset.splits.tolist() == ["", "", "test", "train"]
    assert dataset.history == ("read: 2 of 4 faces have no split",)


def test_a_dataset_without_splits_lacks_none(tmp_path):
    assert read_dataset(faces(tmp_path, "happy/a.png", "sad/b.png")).history == ()


def test_fer2013s_folders_are_known_by_the_same_rule(tmp_path):
    top = faces(tmp_path / "fer2013", "FER2013Train/sad/a.png", "FER2013Test/happy/b.png")
    dataset = read_dataset(top)
    assert (dataset.name, dataset.splits.tolist()) == ("fer2013-folder", ["test", "train"])


def test_imed_in_split_folders_is_read_by_them(tmp_path):
    dataset = read_dataset(faces(tmp_path / "IMED", "train_set/sad/a.png", "val_set/happy/b.png"))
    assert (dataset.name, dataset.splits.tolist()) == ("folder", ["train", "val"])
    # Nor is the dataset's own folder taken for one.
    faces(tmp_path / "above" / "IMED", "IMED-test/S1/sad/a.png", "IMED-test/S2/happy/b.png")
    dataset = read_dataset(tmp_path / "above" / "IMED")
    assert (dataset.name, dataset.subjects.tolist()) == ("imed", ["S1", "S2"])


@pytest.mark.parametrize("empty", [None, "", "NA", "nan"])
@pytest.mark.parametrize("kind", ["pictures", "list"])
def test_a_column_of_splits_may_have_gaps_that_are_counted(tmp_path, empty, kind):
    names = ["a.png", "b.png", "c.png"]
    faces(tmp_path, *names)
    shown = {"image": [FACE] * 3} if kind == "pictures" else {"path": names}
    said = {"label": ["sad", "happy", "sad"], "split": ["train", empty, "test"]}
    pq.write_table(pa.table(shown | said), tmp_path / "faces.parquet")
    dataset = read_dataset(tmp_path / "faces.parquet")
    assert dataset.splits.tolist() == ["train", "", "test"]
    assert dataset.history == ("read: 1 of 3 faces have no split",)
