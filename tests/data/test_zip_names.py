"""Names in archives and folders that other systems write: backslashes, and folders nobody made."""

import zipfile

import pytest

import makers
from makers import pictures
from mien.data.readers import read_dataset
from mien.errors import DataError


def test_zips_with_backslashes_are_read(tmp_path):
    paths = ("train/happy/a.png", "test/sad/b.png")
    top = pictures(tmp_path / "faces", *paths)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("faces\\train\\", "")
        for path in paths:
            archive.write(top / path, "faces\\" + path.replace("/", "\\"))
    dataset = read_dataset(tmp_path / "packed.zip")
    assert dataset.ids.tolist() == ["faces/test/sad/b.png", "faces/train/happy/a.png"]
    assert dataset.splits.tolist() == ["test", "train"]
    assert dataset.images.tolist() == read_dataset(top).images.tolist()


def test_fer2013s_csv_may_lie_below_a_backslash(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("fer2013\\fer2013.csv", makers.fer_csv(makers.fer_rows(7)))
    assert len(read_dataset(tmp_path / "a.zip")) == 42


@pytest.mark.parametrize("name", ["..\\evil.png", "happy\\..\\..\\evil.png", "\\happy\\a.png"])
def test_backslashes_lead_nowhere_outside(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(DataError, match="leads outside the archive"):
        read_dataset(tmp_path / "bad.zip")


def test_synologys_thumbnails_are_hidden(tmp_path):
    hidden = ("sad/@eaDir/b.png/SYNOPHOTO_THUMB_S.jpg", "@eaDir/x.png")
    top = pictures(tmp_path, "happy/a.png", "sad/b.png", *hidden)
    assert read_dataset(top).ids.tolist() == ["happy/a.png", "sad/b.png"]
