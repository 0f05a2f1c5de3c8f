"""What several checks leave out together: of copies one stays, whichever goes for its light."""

import dataclasses
import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.data.assemble import assemble
from mien.data.audit import audit
from mien.data.audit.image_hash import image_hash
from mien.data.audit.report import read_findings, write_report
from mien.data.balance import at_least
from mien.data.clean import Marks, clean, leave_out
from mien.data.dataset import FaceDataset
from mien.data.sizes import of_side
from mien.errors import DataError
from mien.labels import label_set
from mien.recipe import DataPart

CHECKS = ["similar", "lighting"]


def dataset(images, splits=None):
    count = len(images)
    return FaceDataset(
        name="made",
        labels=label_set("four"),
        images=images,
        targets=np.arange(count) // 4 % 4,
        splits=np.array(splits or [""] * count, dtype="<U5"),
        subjects=np.full(count, ""),
        sources=np.full(count, "made"),
        ids=np.array([f"{i:02d}" for i in range(count)]),
    )


@pytest.fixture
def pictures():
    """Five times a dark picture, the same in good light and once more, and a picture by itself."""
    noise = np.random.default_rng(0).integers(0, 256, (10, 48, 48)).astype(np.uint8)
    images, others = noise[::2], noise[1::2]
    four = np.stack([images // 9, images, 255 - (255 - images) // 2, others], axis=1)
    return four.reshape(-1, 48, 48)


def findings(faces, folder, checks):
    write_report(faces, audit(faces, checks), folder)
    return read_findings(folder / "findings.csv")


@pytest.mark.parametrize("drop", [CHECKS, CHECKS[::-1]])
def test_the_good_copy_stays_where_the_dark_first_one_goes(pictures, tmp_path, drop):
    faces = dataset(pictures)
    rows = findings(faces, tmp_path, CHECKS)
    good = [f"{i:02d}" for i in range(20) if i % 4 in (1, 3)]
    cleaned = clean(faces, rows, drop)
    assert cleaned.ids.tolist() == good
    assert {"5 similar", "5 lighting"} == set(cleaned.history[-1].split("dropped ")[1].split(", "))
    assert clean(faces, rows, ["similar"]).ids.tolist() == [
        f"{i:02d}" for i in range(20) if i % 4 in (0, 3)
    ]
    assert assemble(DataPart(dataset="made", clean=tuple(drop)), [faces]).ids.tolist() == good


@pytest.mark.parametrize(
    ("splits", "stay"),
    [
        (("train", "train", "train"), [1]),
        (("test", "train", "train"), [0]),  # dark, but not of train: its copies must go
        (("train", "train", "test"), [2]),
        (("train", "test", "train"), [1]),
    ],
)
def test_no_copy_stands_in_for_one_of_a_test_face(pictures, tmp_path, splits, stay):
    faces = dataset(pictures, [*splits, "test"] * 5)
    wanted = [f"{i:02d}" for i in range(20) if i % 4 in (*stay, 3)]
    rows = findings(faces, tmp_path, CHECKS)
    assert clean(faces, rows, CHECKS, ["train"]).ids.tolist() == wanted
    part = DataPart(dataset="made", clean=tuple(CHECKS), clean_splits=("train",))
    assert assemble(part, [faces]).ids.tolist() == wanted


NO_GROUP = "- - - - - -"


@pytest.mark.parametrize(
    ("marks", "stay"),
    [
        # Each check: groups, and whom it marks.
        ({"similar": ("a a a - - -", "12"), "lighting": (NO_GROUP, "0")}, "1345"),
        ({"similar": ("a a a - - -", "12"), "lighting": (NO_GROUP, "01")}, "2345"),
        ({"similar": ("a a a - - -", "12"), "lighting": (NO_GROUP, "012")}, "345"),
        # Others were kept by hand: no further one is needed.
        ({"similar": ("a a a - - -", "2"), "lighting": (NO_GROUP, "0")}, "1345"),
        # Who is kept was chosen by hand, or all go as their labels conflict: nobody stands in.
        ({"similar": ("a a a - - -", "02"), "lighting": (NO_GROUP, "1")}, "345"),
        ({"identical": ("a a - - - -", "01"), "lighting": (NO_GROUP, "0")}, "2345"),
        # The first goes with its twin of another label, its near-copy stays.
        ({"identical": ("a a - - - -", "01"), "similar": ("a a a - - -", "12")}, "2345"),
        # A twin among near-copies does not stay beside them.
        ({"identical": ("- a a - - -", "2"), "similar": ("a a a - - -", "12")}, "0345"),
        ({"identical": ("- a a - - -", "2"), "similar": ("a a - - - -", "1")}, "0345"),
        (
            {
                "identical": ("- a a - - -", "2"),
                "similar": ("a a - - - -", "1"),
                "lighting": (NO_GROUP, "0"),
            },
            "1345",
        ),
        (
            {
                "identical": ("- a a - b b", "25"),
                "similar": ("a a a - b b", "125"),
                "label-noise": (NO_GROUP, "014"),
            },
            "235",
        ),
        # A person's images are no copies.
        ({"subjects": ("a a a - - -", "12"), "lighting": (NO_GROUP, "0")}, "345"),
    ],
)
def test_of_the_copies_of_all_checks_the_first_that_may_stays(marks, stay):
    faces = dataset(np.zeros((6, 4, 4), np.uint8))
    made = [_marks(name, *said) for name, said in marks.items()]
    for order in (made, made[::-1]):
        cleaned = leave_out(faces, order)
        assert "".join(str(int(name)) for name in cleaned.ids) == stay
        counted = [int(word) for word in cleaned.history[-1].split() if word.isdecimal()]
        assert sum(counted) == 6 - len(stay)


def _marks(name, groups, marked):
    numbers = [-1 if letter == "-" else ord(letter) for letter in groups.split()]
    return Marks(name, np.isin(np.arange(6), [int(i) for i in marked]), np.array(numbers))


def test_copies_do_not_go_for_one_that_was_cleaned_away_before(pictures, tmp_path):
    faces = dataset(pictures)
    rows = findings(faces, tmp_path, CHECKS)
    bright = clean(faces, rows, ["lighting"])
    with pytest.raises(DataError, match=r"no '\d\d'; or it was cleaned away before: apply all"):
        clean(bright, rows, ["similar"])
    by_hand = [row | {"drop": "no"} if row["id"] in bright.ids else row for row in rows]
    assert clean(bright, by_hand, ["similar"]).fingerprint == bright.fingerprint


def test_what_was_repeated_since_is_cleaned_first(pictures, tmp_path):
    """Of a face that goes no copy may stay."""
    faces = dataset(pictures)
    rows = findings(faces, tmp_path, ["lighting"])
    repeated = at_least(faces, 9, seed=0)
    with pytest.raises(DataError, match=r"is repeated in dataset 'made', .* clean first, then"):
        clean(repeated, rows, ["lighting"])
    own = clean(repeated, findings(repeated, tmp_path / "own", ["lighting"]), ["lighting"])
    cleaned = clean(faces, rows, ["lighting"])
    assert {name.partition("#")[0] for name in own.ids} == set(cleaned.ids)


@pytest.mark.parametrize("side", [48, 96, 224])
def test_what_is_blurred_or_alike_does_not_depend_on_the_size(pictures, side):
    """The limits were measured on small faces; larger pictures of the same are smoother."""
    soft = np.stack([cv2.GaussianBlur(image, (0, 0), 1.0) for image in pictures])
    small, large = dataset(soft), dataset(of_side(soft, side))
    for one, other in zip(audit(small, CHECKS), audit(large, CHECKS)):
        marked = [{f.index for f in result.findings if f.drop} for result in (one, other)]
        assert marked[0] == marked[1]


def test_findings_of_other_images_are_refused_though_the_ids_are_the_same(pictures, tmp_path):
    """Ids may be mere numbers of rows."""
    faces = dataset(pictures)
    rows = findings(faces, tmp_path, CHECKS)
    assert clean(faces, rows, CHECKS).history[-1] == "cleaned: dropped 5 similar, 5 lighting"
    other = dataclasses.replace(faces, images=np.roll(faces.images, 4, axis=0))
    first = next(row for row in rows if row["drop"] == "yes")
    place = int(first["id"])
    wanted, found = (image_hash(one.images[place]) for one in (faces, other))
    assert first["image_hash"] == wanted
    message = (
        f"The image of '{first['id']}' in 'made' is another than when it was audited, {found}"
        f" instead of {wanted}: audit this dataset again, unless the findings are of another one."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        clean(other, rows, CHECKS)
    with pytest.raises(DataError, match="is another than when it was audited"):
        clean(other, rows, ["lighting"])
    prepared = dataclasses.replace(faces, images=of_side(faces.images, 96))
    with pytest.raises(DataError, match="audit this dataset again"):
        clean(prepared, rows, ["similar"])


def test_other_images_are_refused_only_where_they_are_to_go(pictures, tmp_path):
    faces = dataset(pictures)
    rows = findings(faces, tmp_path, CHECKS)
    dark = {row["id"] for row in rows if row["check"] == "lighting" and row["drop"] == "yes"}
    alike = {row["id"] for row in rows if row["check"] == "similar" and row["drop"] == "yes"}
    changed = faces.images.copy()
    changed[sorted(map(int, dark)), 0, 0] += 1
    other = dataclasses.replace(faces, images=changed)
    assert set(faces.ids) - set(clean(other, rows, ["similar"]).ids) == alike
    with pytest.raises(DataError, match="is another than when it was audited"):
        clean(other, rows, CHECKS)
    by_hand = [row | {"drop": "no"} if row["id"] in dark else row for row in rows]
    assert set(faces.ids) - set(clean(other, by_hand, CHECKS).ids) == alike


def test_findings_of_earlier_versions_have_no_hashes_and_are_taken(pictures, tmp_path):
    faces = dataset(pictures)
    rows = findings(faces, tmp_path, CHECKS)
    wanted = clean(faces, rows, CHECKS).fingerprint
    header, *lines = (tmp_path / "findings.csv").read_text(encoding="utf-8").splitlines()
    assert header == "check,id,group,split,expression,source,value,drop,note,image_hash"
    old = [line.rpartition(",")[0] for line in (header, *lines)]
    (tmp_path / "old.csv").write_text("\n".join(old), encoding="utf-8")
    old_rows = read_findings(tmp_path / "old.csv")
    assert "image_hash" not in old_rows[0]
    assert clean(faces, old_rows, CHECKS).fingerprint == wanted
    emptied = [row | {"image_hash": ""} for row in rows]
    assert clean(faces, emptied, CHECKS).fingerprint == wanted
    other = dataclasses.replace(faces, images=np.roll(faces.images, 4, axis=0))
    assert len(clean(other, old_rows, CHECKS)) == len(faces) - 10


@given(st.integers(0, 2**32 - 1))
def test_no_spreadsheet_takes_a_hash_for_a_number(seed):
    image = np.random.default_rng(seed).integers(0, 256, (3, 4), dtype=np.uint8)
    assert re.fullmatch("h[0-9a-f]{12}", image_hash(image))
    assert image_hash(image) == image_hash(np.asfortranarray(image))
    other = image.copy()
    other[seed % 3, seed % 4] ^= 1
    assert image_hash(image) != image_hash(other)
