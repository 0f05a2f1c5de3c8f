"""What class folders are called: names that mean one expression, classes left out, and none."""

import shutil

import pytest

from makers import pictures
from mien.data.readers import find_reader, read_dataset
from mien.errors import MienError
from mien.labels import ClassNames


def test_calm_and_neutral_are_not_merged(tmp_path):
    pictures(tmp_path, "calm/a.png", "neutral/b.png", "happy/c.png")
    with pytest.raises(MienError, match="unknown class names 'calm'"):
        read_dataset(tmp_path)
    dataset = read_dataset(tmp_path, names=ClassNames({"calm": "neutral"}))
    assert dataset.counts()[""]["neutral"] == 2
    assert dataset.history == ("read: the classes 'calm' and 'neutral' are one, neutral",)


def test_two_names_of_one_expression_are_said_but_not_two_cases(tmp_path):
    pictures(tmp_path, "train/Happy/a.png", "train/joy/b.png", "test/happy/c.png", "test/sad/d.png")
    dataset = read_dataset(tmp_path)
    assert [face.expression for face in dataset].count("happiness") == 3
    assert dataset.history == ("read: the classes 'happy' and 'joy' are one, happiness",)
    (tmp_path / "train" / "joy").rename(tmp_path / "train" / "HAPPY2")
    assert read_dataset(tmp_path, names=ClassNames({"happy2": ""})).history == (
        "read: 1 faces of class 'happy2' left out",
    )


@pytest.mark.parametrize("layout", ["folder", "pattern", "imed"])
def test_a_class_can_be_left_out(tmp_path, layout):
    top = pictures(tmp_path, "S1/happy/a.png", "S1/Unknown/b.png", "S2/sad/c.png", "S2/unknown/d")
    names = ClassNames({"unknown": ""})
    dataset = read_dataset(top, layout=layout, names=names)
    assert dataset.ids.tolist() == ["S1/happy/a.png", "S2/sad/c.png"]
    assert dataset.history == ("read: 2 faces of class 'unknown' left out",)


def test_folders_without_pictures_are_no_classes(tmp_path):
    pictures(tmp_path, "faces/happy/a.png", "faces/sad/b.JPG")
    for name in ("models/net.h5", "annotations/0_lnd.npy", "docs/readme.md", "code/Makefile"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    dataset = read_dataset(tmp_path)
    assert len(dataset) == 2
    assert dataset.history == (
        "read: 3 files in folders without a picture left out, such as annotations/0_lnd.npy",
    )


@pytest.mark.parametrize("suffix", [".png", ".heic", ".JP2"])
def test_a_folder_of_any_kind_of_picture_is_a_class(tmp_path, suffix):
    top = pictures(tmp_path, "S1/happy/a.png", f"S1/freude/b{suffix}")
    for layout in ("folder", "pattern"):
        with pytest.raises(MienError, match="unknown class names 'freude'"):
            read_dataset(top, layout=layout)


def test_pictures_beside_the_class_folders_are_counted(tmp_path):
    pictures(tmp_path, "happy/a.png", "sad/b.png", "cover.png", "mean.jpg")
    (tmp_path / "readme.txt").write_text("about")
    dataset = read_dataset(tmp_path)
    assert dataset.ids.tolist() == ["happy/a.png", "sad/b.png"]
    assert dataset.history == ("read: 2 pictures that lie in no class's folder left out",)


def ck_tree(top):
    """Nine pictures as CK+48 has them: three people, three frames each."""
    paths = [
        f"{emotion}/S{subject:03d}_001_{frame:08d}.png"
        for subject, emotion in ((10, "anger"), (11, "happy"), (12, "contempt"))
        for frame in (8, 9, 10)
    ]
    return pictures(top / "CK+48", *paths)


@pytest.mark.parametrize(
    ("stray", "subject"),
    [
        ("happy/S011_001_00000010 (1).png", "S011"),
        ("happy/s011_001_00000011.PNG", "S011"),
        ("happy/S011_001_00000011.jpg", "S011"),
        ("happy/S011_001_000000110.png", ""),
        ("happy/mine.png", ""),
        ("happy/mine.jpg", ""),
    ],
)
def test_one_stray_file_costs_ckplus48_no_subjects(tmp_path, stray, subject):
    top = pictures(ck_tree(tmp_path), stray)
    archive = shutil.make_archive(str(top), "zip", tmp_path, top.name)
    for path in (top, archive):
        dataset = read_dataset(path)
        assert dataset.name == "ckplus48"
        found = dict(zip(dataset.ids.tolist(), dataset.subjects.tolist()))
        assert [s for name, s in found.items() if stray in name] == [subject]
        assert sorted(set(found.values()) - {""}) == ["S010", "S011", "S012"]
    if "(1)" in stray or not subject:
        told = f"read: 1 files not named like CK+'s, such as 'CK+48/{stray}'; of {subject == '':d}"
        assert dataset.history[0] == f"{told} the subject is not known"
    else:
        assert dataset.history == ()


def test_a_tree_is_ckplus48_if_most_files_are_named_so(tmp_path):
    top = pictures(ck_tree(tmp_path), *(f"happy/{number}.png" for number in range(8)))
    assert find_reader(top)[0] == "ckplus48"
    pictures(top, "happy/8.png")
    assert find_reader(top)[0] == "folder"
