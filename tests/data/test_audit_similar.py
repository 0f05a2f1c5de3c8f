"""Near-copies and labels: a copy goes for one of its own label, or for one across splits."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.assemble import assemble
from mien.data.audit import audit
from mien.data.audit.report import read_findings, write_report
from mien.data.audit.similar import THRESHOLD
from mien.data.clean import clean
from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.readers import read_dataset
from mien.errors import DataError
from mien.labels import label_set
from mien.recipe import DataPart

LABELS = {"a": 0, "s": 3, "-": NO_TARGET}
"""Anger, sadness and no label, in the label set `four`."""


def film(labels, times, splits=None):
    """Frames of a film from one picture to another: near ones in time are near-copies.

    Two frames correlate by the cosine of the time between them, from 0 to a quarter turn.
    """
    ends = np.random.default_rng(0).normal(0, 1, (2, 24, 24))
    ends -= ends.mean(axis=(1, 2), keepdims=True)
    ends[1] -= ends[0] * (ends[0] * ends[1]).sum() / (ends[0] ** 2).sum()
    ends /= ends.std(axis=(1, 2), keepdims=True)
    frames = [np.cos(t) * ends[0] + np.sin(t) * ends[1] for t in times]
    count = len(labels)
    return FaceDataset(
        name="film",
        labels=label_set("four"),
        images=np.clip(np.rint(128 + 25 * np.array(frames)), 0, 255).astype(np.uint8),
        targets=np.array([LABELS[letter] for letter in labels]),
        splits=np.array(splits or [""] * count, dtype="<U5"),
        subjects=np.full(count, ""),
        sources=np.full(count, "film"),
        ids=np.array([f"{i:02d}" for i in range(count)]),
    )


def similar(faces):
    (result,) = audit(faces, ["similar"])
    return result


def marked(faces):
    return sorted(finding.index for finding in similar(faces).findings if finding.drop)


def test_of_each_label_of_a_film_the_first_stays():
    faces = film("aaasss", np.linspace(0, 0.2, 6))
    result = similar(faces)
    assert result.counts == {
        "pairs": 15,
        "groups": 1,
        "images in them": 6,
        "pairs with different labels": 9,
        "groups with different labels": 1,
    }
    assert [(f.index, f.group, f.drop) for f in result.findings] == [
        (0, 0, False),
        (1, 0, True),
        (2, 0, True),
        (3, 0, False),
        (4, 0, True),
        (5, 0, True),
    ]
    assert result.findings[4].note.endswith("; 00 is like it and labelled anger")
    assert result.findings[0].note.endswith("; 03 is like it and labelled sadness")


def test_two_of_different_labels_are_listed_and_both_stay():
    result = similar(film("as", [0, 0.1]))
    assert [(f.index, f.group, f.drop) for f in result.findings] == [(0, 0, False), (1, 0, False)]
    assert result.marked == 0


@pytest.mark.parametrize(
    ("labels", "times", "gone"),
    [
        ("aa", [0, 0.1], [1]),
        ("--", [0, 0.1], [1]),
        ("-a", [0, 0.1], [0]),  # the one with a label stays
        ("a-s", [0, 0.1, 0.2], [1]),
        ("a-s", [0, 0.3, 0.6], [1]),  # through it the ends do not come together
        ("a--s", [0, 0.3, 0.6, 0.9], [1, 2]),
        ("s-a", [0.9, 0.3, 0.0], [1]),  # it is like the last one alone
        ("aa-", [0, 1.5, 1.4], [2]),
        ("aaa", [0, 0.3, 0.6], [1, 2]),  # as before: copies of copies
        ("asa", [0, 0.3, 0.6], []),  # a face of another label brings none together
    ],
)
def test_faces_without_a_label_go_for_one_with_a_label(labels, times, gone):
    assert marked(film(labels, times)) == gone


def test_leaks_between_splits_do_not_depend_on_labels():
    splits = ["train", "test", "test", "val"]
    for labels, several in (("aaaa", 0), ("asss", 1), ("a---", 0)):
        counts = similar(film(labels, [0, 0.1, 1.5, 0.3], splits)).counts
        assert (counts["groups"], counts["groups with different labels"]) == (1, several)
        assert counts["images of test with a near-copy in train"] == 1
        assert counts["images of val with a near-copy in train"] == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("as-"), st.floats(0, 1.5)), min_size=1, max_size=12))
def test_groups_are_those_of_a_slow_search(frames):
    labels, times = zip(*frames)
    faces = film(labels, times)
    result = similar(faces)
    pairs = _pairs(faces.images)
    differing = [(i, j) for i, j in pairs if {labels[i], labels[j]} == {"a", "s"}]
    assert result.counts["pairs"] == len(pairs)
    assert result.counts["pairs with different labels"] == len(differing)
    groups = _groups(pairs)
    assert result.counts["groups"] == len(groups)
    several = [group for group in groups if {"a", "s"} <= {labels[i] for i in group}]
    assert result.counts["groups with different labels"] == len(several)
    assert {f.index for f in result.findings} == {i for pair in pairs for i in pair}
    numbered = {
        number: [f.index for f in result.findings if f.group == number]
        for number in {f.group for f in result.findings}
    }
    assert sorted(map(sorted, numbered.values())) == sorted(map(sorted, groups))
    kept = {f.index for f in result.findings if not f.drop}
    for letter in "as":  # of each label's copies the first stays; the others go
        own = _groups([pair for pair in pairs if {labels[i] for i in pair} == {letter}])
        alone = {f.index for f in result.findings if labels[f.index] == letter} - set().union(*own)
        assert {i for i in kept if labels[i] == letter} == alone | {min(group) for group in own}
    without = [pair for pair in pairs if {labels[i] for i in pair} == {"-"}]
    assert all(len(kept & group) <= 1 for group in _groups(without))
    for pair in pairs:  # one without a label goes for one that has one
        if len(letters := {labels[i] for i in pair}) == 2 and "-" in letters:
            assert not {i for i in pair if labels[i] == "-"} & kept
    told = {f.index for f in result.findings if "like it and labelled" in f.note}
    assert told == {i for pair in differing for i in pair}


def _pairs(images):
    """Near-copies by NumPy, of different images."""
    rows = images.reshape(len(images), -1)
    return [
        (i, j)
        for i in range(len(rows))
        for j in range(i + 1, len(rows))
        if (rows[i] != rows[j]).any() and np.corrcoef(rows[i], rows[j])[0, 1] >= THRESHOLD
    ]


def _groups(pairs):
    """What pairs join, one after the other."""
    groups = []
    for pair in map(set, pairs):
        touched = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair] + [pair.union(*touched)]
    return groups


def test_cleaning_keeps_each_label_and_a_test_face_takes_copies_of_its_own(tmp_path):
    times = np.linspace(0, 0.2, 6)
    faces = film("aaasss", times)
    write_report(faces, [similar(faces)], tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    assert clean(faces, rows, ["similar"]).ids.tolist() == ["00", "03"]
    divided = dataclasses.replace(faces, splits=np.array(["train"] * 4 + ["test"] * 2))
    # Found before the split: a marked test face takes the train faces of its group.
    assert clean(divided, rows, ["similar"], ["train"]).ids.tolist() == ["04", "05"]
    # Found after it: each train face has a near-copy in test.
    assert cleaned_of(divided, tmp_path / "own", ["train"]).ids.tolist() == ["04", "05"]


def cleaned_of(faces, folder, splits=(), drop=("similar",)):
    """The dataset after its own findings were applied: from a file, and as a recipe does."""
    write_report(faces, audit(faces, drop), folder)
    cleaned = clean(faces, read_findings(folder / "findings.csv"), drop, splits)
    part = DataPart(dataset=faces.name, clean=tuple(drop), clean_splits=tuple(splits))
    assert assemble(part, [faces]).fingerprint == cleaned.fingerprint
    return cleaned


def leaks(faces):
    """How many faces of val and test have a near-copy in train, by NumPy."""
    pairs = [{i, j} for i, j in _pairs(faces.images)]
    splits = [{str(faces.splits[i]) for i in pair} for pair in pairs]
    return sum("train" in pair and len(pair) > 1 for pair in splits)


def test_no_near_copy_of_a_test_face_stays_in_train_whatever_its_label(tmp_path):
    """Two pairs of one photo with two labels, one across splits, and a face by itself."""
    faces = film("asasa", [0, 0.1, 0.8, 0.9, 1.5], ["train", "test", "train", "train", "val"])
    assert leaks(faces) == 1
    result = similar(faces)
    assert [(f.index, f.group, f.drop) for f in result.findings] == [
        (0, 0, True),
        (1, 0, False),
        (2, 1, False),
        (3, 1, False),
    ]
    assert result.findings[0].note.startswith("r = 0.99")
    assert "; a near-copy is in val or test; 01 is like it" in result.findings[0].note
    cleaned = cleaned_of(faces, tmp_path, ["train"])
    assert cleaned.ids.tolist() == ["01", "02", "03", "04"]
    counts = similar(cleaned).counts
    assert counts["images of test with a near-copy in train"] == 0
    assert counts["images of val with a near-copy in train"] == 0


FRAMES = st.tuples(
    st.sampled_from("as-"), st.floats(0, 1.5), st.sampled_from(["train", "val", "test"])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(FRAMES, min_size=1, max_size=12))
def test_cleaning_leaves_no_leak(tmp_path_factory, frames):
    labels, times, splits = zip(*frames)
    # A face of each split that is like no other, so that something is left of each.
    noise = np.random.default_rng(1).integers(0, 256, (3, 24, 24)).astype(np.uint8)
    faces = film("".join(labels) + "aaa", [*times, 0, 0, 0], [*splits, "train", "val", "test"])
    faces = dataclasses.replace(faces, images=np.concatenate([faces.images[:-3], noise]))
    for some in ((), ["train"], ["val", "test"]):
        cleaned = cleaned_of(faces, tmp_path_factory.mktemp("audit"), some)
        assert leaks(cleaned) == 0
        assert not some or set(faces.ids[~np.isin(faces.splits, some)]) <= set(cleaned.ids)


def test_a_near_copy_of_a_test_face_comes_back_for_no_dark_one(tmp_path):
    """The second is kept, and dark; the first would be its copy, were it not like a test face."""
    faces = film("aas", [0.35, 0, 0.6], ["train", "train", "test"])
    images = faces.images.copy()
    images[1] = images[1] // 9
    faces = dataclasses.replace(faces, images=images)
    drop = ("similar", "lighting")
    assert cleaned_of(faces, tmp_path, ["train"], drop).ids.tolist() == ["02"]


def test_where_one_of_a_label_goes_a_copy_of_that_label_comes_back(tmp_path):
    """In one group a stands for a and s for s, though either is kept."""
    faces = film("aass", [0, 0.05, 0.1, 0.15])
    images = faces.images.copy()
    images[2] = images[2] // 9
    faces = dataclasses.replace(faces, images=images)
    drop = ("similar", "lighting")
    assert cleaned_of(faces, tmp_path, (), drop).ids.tolist() == ["00", "03"]


def test_a_face_of_another_label_is_no_copy_that_was_to_stay(tmp_path):
    faces = film("aass", [0, 0.05, 0.1, 0.15])
    write_report(faces, [similar(faces)], tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    with pytest.raises(DataError, match="no '02'; or it was cleaned away before"):
        clean(faces.select(np.array([0, 1, 3])), rows, ["similar"])


@pytest.mark.data
def test_no_class_of_ckplus48_is_emptied_by_another(shared_data, tmp_path):
    faces = read_dataset(shared_data / "ckplus" / "CK+48.zip")
    result = similar(faces)
    assert result.counts["groups"] == 276
    assert {f.group for f in result.findings} == set(range(276))
    assert result.counts["groups with different labels"] == 34
    write_report(faces, [result], tmp_path)
    cleaned = clean(faces, read_findings(tmp_path / "findings.csv"), ["similar"])
    left = [int((cleaned.targets == target).sum()) for target in range(7)]
    # Three frames of each sequence, of which one stays; some first frames look less alike.
    assert dict(zip(cleaned.labels.expressions, left))["sadness"] == 84 // 3
    assert all(n >= int((faces.targets == target).sum()) // 3 for target, n in enumerate(left))


@pytest.mark.data
@pytest.mark.slow
def test_near_copies_of_fer2013_as_published(real_fer2013):
    counts = similar(real_fer2013).counts
    assert counts["images of test with a near-copy in train"] == 198
    assert (counts["pairs"], counts["groups"], counts["images in them"]) == (2_165, 802, 2_225)
