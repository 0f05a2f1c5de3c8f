"""Readers of trees: class folders, FER2013's folders, CK+48; as folders and zipped."""

import os
import shutil
import unicodedata
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import makers
from mien.data.dataset import FaceDataset
from mien.data.prepare.run import list_pictures
from mien.data.readers import READERS, find_reader, read_dataset
from mien.data.sample import Sample
from mien.data.tree import read_grey
from mien.errors import DataError, MienError
from mien.labels import ClassNames, label_set

FOLDERS = ("Angry", "happy", "NEUTRAL", "sad")


def picture(path, code=0, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = makers.drawn_face(code, np.random.default_rng(seed))
    PIL.Image.fromarray(image).save(path)
    return image


def zipped(folder):
    return shutil.make_archive(str(folder), "zip", folder.parent, folder.name)


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "mine"
    for number, name in enumerate(FOLDERS):
        for index in range(3):
            picture(top / "Train" / name / f"{index}.png", number, number * 10 + index)
        picture(top / "validation" / name / "v.png", number, 100 + number)
    return top


@pytest.fixture
def fer_tree(tmp_path):
    top = tmp_path / "archive"
    for number, name in enumerate(
        ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    ):
        for usage, split in (
            ("Training", "train"),
            ("PublicTest", "test"),
            ("PrivateTest", "test"),
        ):
            picture(top / split / name / f"{usage}_{number}.png", number, number)
    return top


@pytest.fixture
def ck_tree(tmp_path):
    top = tmp_path / "CK+48"
    for number, name in enumerate(
        ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
    ):
        for frame in (8, 9, 10):
            file = f"S{number + 10:03d}_00{number + 1}_{frame:08d}.png"
            picture(top / name / file, number % 7, number)
    return top


def test_class_folders_in_any_spelling(tree):
    dataset = read_dataset(tree)
    assert dataset.labels.name == "four"
    assert dataset.counts() == {
        "train": dict.fromkeys(dataset.labels.expressions, 3),
        "val": dict.fromkeys(dataset.labels.expressions, 1),
    }
    assert dataset.ids[0] == "Train/Angry/0.png"
    assert read_dataset(zipped(tree)).images.tobytes() == dataset.images.tobytes()


def test_the_fer2013_tree_tells_public_from_private(fer_tree):
    assert find_reader(fer_tree)[0] == "fer2013-folder"
    dataset = read_dataset(fer_tree)
    assert dataset.labels.name == "basic7"
    assert Counter(dataset.splits.tolist()) == {"train": 7, "val": 7, "test": 7}
    plain = fer_tree.rename(fer_tree.with_name("fer2013"))
    for path in plain.rglob("*_*.png"):
        path.rename(path.with_name(path.name.replace("_", "-")))
    assert Counter(read_dataset(plain).splits.tolist()) == {"train": 7, "test": 14}


def test_ckplus48_knows_its_subjects(ck_tree):
    for path in (ck_tree, zipped(ck_tree)):
        dataset = read_dataset(path)
        assert dataset.sources[0] == "ckplus48"
        assert dataset.labels.name == "ckplus7"
        assert Counter(dataset.subjects.tolist()) == {f"S{n:03d}": 3 for n in range(10, 17)}


@pytest.mark.data
def test_the_real_ckplus48_has_the_published_counts(shared_data):
    dataset = read_dataset(shared_data / "ckplus" / "CK+48.zip")
    assert len(dataset) == 981
    assert len(set(dataset.subjects)) == 118
    assert dataset.counts()[""] == {
        "anger": 135,
        "contempt": 54,
        "disgust": 177,
        "fear": 75,
        "happiness": 207,
        "sadness": 84,
        "surprise": 249,
    }


def test_own_class_names_are_given_in_one_place(tree):
    (tree / "Train" / "sad").rename(tree / "Train" / "Trauer")
    (tree / "validation" / "happy").rename(tree / "validation" / "Freude")
    with pytest.raises(MienError, match="unknown class names 'Freude', 'Trauer'"):
        read_dataset(tree)
    names = ClassNames({"trauer": "sadness", "FREUDE": "happy"})
    assert read_dataset(tree, names=names).counts()["train"]["sadness"] == 3
    with pytest.raises(MienError, match="did you mean 'sadness'"):
        ClassNames({"Trauer": "sadnes"})


def test_what_is_no_picture_is_named_and_the_rest_is_read(tree):
    (tree / "Train" / "sad" / "notes.txt").write_text("hello")
    (tree / "Train" / "sad" / "cut.png").write_bytes(
        (tree / "Train" / "sad" / "0.png").read_bytes()[:80]
    )
    skipped = []
    dataset = read_dataset(tree, skip=skipped.append)
    assert len(dataset) == 16
    assert [("cut.png" in str(e), "notes.txt" in str(e)) for e in skipped] == [
        (True, False),
        (False, True),
    ]
    with pytest.raises(DataError, match=r"cut\.png"):
        read_dataset(tree)


def test_files_left_out_are_in_the_history(tree):
    (tree / "Train" / "sad" / "notes.txt").write_text("hello")
    dataset = read_dataset(tree, skip=lambda error: None)
    assert dataset.history == ("read: 1 unreadable files left out",)
    (tree / "Train" / "sad" / "notes.txt").unlink()
    assert read_dataset(tree).history == ()


def test_files_that_are_no_pictures_make_no_class(tree):
    whole = read_dataset(tree)
    (tree / "Train" / "meta").mkdir()
    (tree / "Train" / "meta" / "labels.csv").write_text("a,b")
    assert read_dataset(tree).fingerprint == whole.fingerprint
    # Whatever may be a picture is of a class.
    (tree / "Train" / "meta" / "a.jp2").write_bytes(b"")
    with pytest.raises(MienError, match="'meta'"):
        read_dataset(tree)


def test_pictures_of_different_sizes_say_so(tree):
    PIL.Image.new("L", (10, 12)).save(tree / "Train" / "sad" / "0.png")
    wanted = r"Got 48x48 for '\S+/0.png' and 10x12 for 'Train/sad/0.png': mien data prepare makes"
    with pytest.raises(DataError, match=wanted):
        read_dataset(tree)


def test_reading_ends_at_the_second_size(tree):
    read = []
    pictures = (
        Sample(str(number), np.zeros((side, side), np.uint8), "anger")
        for number, side in enumerate((4, 4, 5, 4, 4))
        if read.append(number) is None
    )
    with pytest.raises(DataError, match="Got 4x4 for '0' and 5x5 for '2'"):
        FaceDataset.from_samples("own", label_set("four"), pictures)
    assert read == [0, 1, 2]


def test_a_folder_without_classes_says_so(tmp_path):
    picture(tmp_path / "photos" / "a.png")
    with pytest.raises(DataError, match="holds no folder with pictures"):
        read_dataset(tmp_path / "photos")


def test_a_zip_with_a_name_that_is_no_utf8_says_so(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("happy/\u00e4.png", b"x")
    path.write_bytes(path.read_bytes().replace("\u00e4".encode(), b"\xff\xfe"))
    named = shutil.copy(path, tmp_path / "fer2013.zip")
    for place in (path, named):
        with pytest.raises(DataError, match="is not a readable archive"):
            read_dataset(place)


def test_fer2013s_folders_with_the_csv_beside_them_stay_its_folders(fer_tree):
    (fer_tree / "fer2013.csv").write_text("emotion,pixels,Usage\n")
    assert find_reader(fer_tree)[0] == "fer2013-folder"


def test_fer2013s_folders_may_be_zipped_under_its_name(tmp_path):
    for split in ("train", "test"):
        for number, name in enumerate(("angry", "happy")):
            picture(tmp_path / "tree" / split / name / "1.png", number)
    archive = Path(shutil.make_archive(str(tmp_path / "fer2013"), "zip", tmp_path / "tree"))
    assert find_reader(archive)[0] == "fer2013-folder"
    assert len(read_dataset(archive)) == 4
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("fer2013.csv", "emotion,pixels,Usage\n")
    assert find_reader(archive)[0] == "fer2013"


def test_a_zip_that_leads_outside_is_refused(tmp_path):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("happy/../../evil.png", b"x")
    with pytest.raises(DataError, match="leads outside the archive"):
        read_dataset(path)
    path.write_bytes(b"no zip")
    with pytest.raises(DataError, match="not a readable archive"):
        read_dataset(path)


def test_links_are_followed_but_not_in_circles(tree):
    (tree / "Train" / "sad" / "again").symlink_to(tree, target_is_directory=True)
    assert len(read_dataset(tree)) == 16


def test_paths_that_differ_in_case_only_are_refused(tree):
    picture(tree / "Train" / "sad" / "A.png", 1)
    picture(tree / "Train" / "sad" / "a.png", 2)
    with pytest.raises(DataError, match="differ in case only"):
        read_dataset(tree)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_says_so(tree):
    (tree / "Train" / "sad").chmod(0)
    with pytest.raises(DataError, match="sad cannot be read"):
        read_dataset(tree)


def test_hidden_files_are_not_looked_at(tree):
    picture(tree / ".cache" / "happy" / "x.png")
    (tree / "Train" / ".DS_Store").write_text("x")
    picture(tree / "__MACOSX" / "happy" / "x.png")
    assert len(read_dataset(tree)) == 16


def test_an_unknown_layout_names_the_nearest(tree):
    with pytest.raises(DataError, match="did you mean 'ckplus48'"):
        read_dataset(tree, layout="ckplus4")
    assert set(READERS) >= {"ckplus48", "fer2013", "fer2013-folder", "folder"}


@pytest.mark.parametrize("archived", [False, True])
def test_pictures_are_listed_without_reading_them_and_opened_elsewhere(tree, archived):
    path = Path(zipped(tree)) if archived else tree
    _, reader = find_reader(path)
    entries = reader.entries(path)
    assert [e.id for e in entries] == read_dataset(path).ids.tolist()
    context = get_context("spawn")
    with ProcessPoolExecutor(2, context) as pool:
        there = list(pool.map(read_grey, [entry.file for entry in entries]))
    assert all((read_grey(e.file) == image).all() for e, image in zip(entries, there))


def test_an_archive_that_was_replaced_is_opened_anew(tree):
    path = Path(zipped(tree))
    assert len(read_dataset(path)) == 16
    shutil.rmtree(tree / "Train" / "sad")
    assert len(read_dataset(zipped(tree))) == 13


def test_a_link_to_itself_is_named_and_the_rest_is_read(tree):
    link = tree / "Train" / "sad" / "loop.png"
    link.symlink_to(link)
    skipped = []
    assert len(read_dataset(tree, skip=skipped.append)) == 16
    assert "loop.png" in str(skipped[0])


def test_a_file_that_cannot_be_opened_is_named(tree):
    (tree / "Train" / "sad" / "0.png").unlink()
    (tree / "Train" / "sad" / "0.png").symlink_to(tree / "gone.png")
    os.mkfifo(tree / "Train" / "sad" / "pipe.png")
    skipped = []
    assert len(read_dataset(tree, skip=skipped.append)) == 15
    assert [name in str(e) for name, e in zip(("0.png", "pipe.png"), skipped)] == [True, True]


def test_a_name_that_is_no_text_is_written_out(tree):
    odd = os.fsencode(tree / "Train" / "sad") + b"/\xff.png"
    shutil.copy(tree / "Train" / "sad" / "0.png", odd)
    assert r"Train/sad/\xff.png" in read_dataset(tree).ids


@pytest.mark.parametrize(
    ("name", "paths", "layout"),
    [
        ("FER2013plus", ["train/contempt/a.png", "test/happy/b.png"], "fer2013-folder"),
        ("ck", ["neutral/S010_001_00000001.png", "happy/S011_001_00000001.png"], "ckplus48"),
        ("IMED", ["S01/contempt/a.png", "S02/senang/b.png"], "imed"),
    ],
)
def test_a_class_beyond_those_of_a_layout_widens_its_labels(tmp_path, name, paths, layout):
    for number, path in enumerate(paths):
        picture(tmp_path / name / path, number, number)
    dataset = read_dataset(tmp_path / name)
    assert (dataset.name, dataset.labels.name, len(dataset)) == (layout, "ferplus8", 2)
    raw = list_pictures(tmp_path / name)
    assert {entry.expression for entry in raw.entries} <= set(raw.labels.expressions)


def test_paths_have_one_unicode_form_on_every_system(tmp_path):
    composed, decomposed = (
        unicodedata.normalize(form, "happy/müller.png") for form in ("NFC", "NFD")
    )
    for top, inside in (("composed", composed), ("decomposed", decomposed)):
        picture(tmp_path / top / inside)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.write(tmp_path / "composed" / composed, decomposed)
    for top in ("composed", "decomposed", "packed.zip"):
        assert read_dataset(tmp_path / top).ids.tolist() == [composed]
