"""What the history of a prepared dataset says of how it was read."""

import PIL.Image

from mien.data.prepare.run import list_pictures, prepare, prepared_dataset
from mien.data.prepare.settings import NO_DETECTOR, Preparation
from mien.labels import ClassNames


def test_what_was_left_out_or_taken_as_one_is_said(tmp_path):
    paths = ("train/happy/a.png", "train/joy/b.png", "x/sad/c.png", "x/unknown/d.png")
    for path in (tmp_path / "photos" / path for path in paths):
        path.parent.mkdir(parents=True)
        PIL.Image.new("L", (4, 4), 99).save(path)
    raw = list_pictures(tmp_path / "photos", names=ClassNames({"unknown": ""}))
    settings = Preparation(detector=NO_DETECTOR, size=48)
    with prepare(raw, settings, tmp_path / "out") as outcomes:
        dataset = prepared_dataset(raw, outcomes, settings)
    assert dataset.history[:-1] == (
        "read: 1 faces of class 'unknown' left out",
        "read: the classes 'happy' and 'joy' are one, happiness",
        "read: 1 of 3 faces have no split",
    )
    assert "3 pictures" in dataset.history[-1]
