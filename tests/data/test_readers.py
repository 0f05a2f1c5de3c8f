"""What every reader promises, whatever its layout."""

import csv
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from makers import drawn_face, fer_csv, fer_rows, write_fer2013
from mien.data.readers import READERS, find_reader, read_dataset
from mien.data.sample import SPLITS
from mien.errors import MienError

EMOTIONS = ("angry", "happy", "sad")


def picture(path: Path, code: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), drawn_face(code, np.random.default_rng(code)))


def folders(top: Path) -> Path:
    for code, emotion in enumerate(EMOTIONS):
        picture(top / "train" / emotion / "a.png", code)
        picture(top / "test" / emotion / "b.png", code + 1)
    return top


def fer2013(top: Path) -> Path:
    return write_fer2013(top.with_name("fer2013.zip"), fer_csv(fer_rows(7)))


def fer2013_folder(top: Path) -> Path:
    return folders(top.with_name("fer2013"))


def ckplus48(top: Path) -> Path:
    archive = top.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as content:
        for code, emotion in enumerate(EMOTIONS):
            png = cv2.imencode(".png", drawn_face(code, np.random.default_rng(code)))[1]
            content.writestr(f"CK+48/{emotion}/S{code:03d}_001_00000001.png", png.tobytes())
    return archive


def ckplus(top: Path) -> Path:
    for code in (1, 3, 5):
        for frame in (1, 2):
            name = f"S{code:03d}/001/S{code:03d}_001_{frame:08d}.png"
            picture(top / "cohn-kanade-images" / name, code + frame)
        emotion = top / "Emotion" / f"S{code:03d}" / "001" / "x_emotion.txt"
        emotion.parent.mkdir(parents=True)
        emotion.write_text(f"   {code}.0000000e+00\n")
    return top


def by_subject(top: Path) -> Path:
    for code, emotion in enumerate(EMOTIONS):
        picture(top / f"S{code:02d}" / emotion / "a.png", code)
    return top


def hugging_face(top: Path) -> Path:
    pictures = [
        cv2.imencode(".png", drawn_face(c, np.random.default_rng(c)))[1].tobytes() for c in range(3)
    ]
    path = top.with_suffix(".parquet")
    pq.write_table(pa.table({"image": pictures, "label": EMOTIONS}), path)
    return path


def manifest(top: Path) -> Path:
    folders(top)
    path = top / "list.csv"
    with path.open("w", newline="") as file:
        rows = [[f"train/{e}/a.png", e, f"s{i}", "train"] for i, e in enumerate(EMOTIONS)]
        csv.writer(file).writerows([["path", "label", "subject", "split"], *rows])
    return path


MAKERS = {
    "fer2013": fer2013,
    "fer2013-folder": fer2013_folder,
    "ckplus48": ckplus48,
    "ckplus": ckplus,
    "ckplus-neutral": ckplus,
    "imed": by_subject,
    "pattern": by_subject,
    "folder": folders,
    "hugging-face": hugging_face,
    "manifest": manifest,
}


def test_every_reader_is_under_contract():
    assert set(MAKERS) == set(READERS)


@pytest.mark.parametrize("layout", sorted(MAKERS))
def test_every_reader_keeps_the_contract(layout, tmp_path):
    path = MAKERS[layout](tmp_path / "data")
    name, reader = find_reader(path, layout)
    assert name == layout
    samples = list(reader.samples(path, pytest.fail))
    assert len(samples) >= len(EMOTIONS)
    assert len({sample.id for sample in samples}) == len(samples)
    for sample in samples:
        assert (sample.image.dtype, sample.image.shape) == (np.uint8, (48, 48))
        assert sample.split in SPLITS
        assert str(tmp_path) not in sample.id
    dataset = read_dataset(path, layout=layout)
    assert {s.expression for s in samples} <= set(dataset.labels.expressions)
    assert reader.labels in (None, dataset.labels)
    assert dataset.name == layout
    assert read_dataset(path, layout=layout).fingerprint == dataset.fingerprint
    with pytest.raises(MienError, match="nowhere"):
        read_dataset(tmp_path / "nowhere", layout=layout)


@pytest.mark.parametrize("layout", sorted(set(MAKERS) - {"ckplus-neutral", "imed", "pattern"}))
def test_readers_know_their_own_layout(layout, tmp_path):
    assert find_reader(MAKERS[layout](tmp_path / "data"))[0] == layout
