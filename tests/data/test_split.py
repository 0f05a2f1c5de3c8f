import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.dataset import FaceDataset
from mien.data.division import by_ratio, divided, with_val
from mien.data.split import check_sources, divide, folds, val_of_train
from mien.data.split_file import SplitFile
from mien.data.twins import twin_groups
from mien.errors import DataError
from mien.labels import label_set

KEEPS = ["nothing", "twins", "subjects"]


def dataset(targets, pictures, subjects):
    count = len(targets)
    return FaceDataset(
        name="made",
        labels=label_set("four"),
        images=np.array(pictures, np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8),
        targets=np.array(targets, np.int64),
        splits=np.full(count, "", dtype="<U5"),
        subjects=np.array([f"s{s}" for s in subjects]),
        sources=np.full(count, "made"),
        ids=np.array([str(i) for i in range(count)]),
    )


@st.composite
def datasets(draw):
    count = draw(st.integers(30, 120))
    column = lambda high: st.lists(st.integers(0, high), min_size=count, max_size=count)  # noqa: E731
    return dataset(draw(column(3)), draw(column(200)), draw(column(25)))


def divides(parts, groups):
    return any(len(set(parts[groups == group])) > 1 for group in np.unique(groups))


@settings(max_examples=80, deadline=None)
@given(datasets(), st.sampled_from(KEEPS), st.integers(0, 5))
def test_no_split_loses_repeats_or_divides(faces, keep, seed):
    try:
        parts = divide(faces, (80, 18, 2), keep, seed)
    except DataError as error:
        assert "cannot be divided" in str(error)
        return
    assert parts.shape == (len(faces),)
    assert set(parts) == {0, 1, 2}
    np.testing.assert_array_equal(parts, divide(faces, (80, 18, 2), keep, seed))
    if keep in ("twins", "subjects"):
        assert not divides(parts, twin_groups(faces.images))
    if keep == "subjects":
        assert not divides(parts, faces.subjects)


def test_without_groups_every_class_is_divided_to_the_nearest_face():
    targets = [0] * 100 + [1] * 50 + [2] * 10 + [3] * 200
    faces = dataset(targets, np.arange(360) % 256, range(360))
    parts = divide(faces, (80, 20), "nothing", 0)
    for target, count in ((0, 100), (1, 50), (2, 10), (3, 200)):
        inside = parts[faces.targets == target]
        assert abs((inside == 1).sum() - count * 0.2) <= 1
    other = divide(faces, (80, 20), "nothing", 1)
    assert not np.array_equal(parts, other)


def test_folds_are_balanced_and_refuse_what_cannot_be():
    faces = dataset([0, 1] * 25, np.arange(50), np.arange(50) // 5)
    parts = folds(faces, 5, "subjects", 0)
    assert np.bincount(parts).tolist() == [10] * 5
    with pytest.raises(DataError, match=r"2 to the size of the smallest class, 25\. Got 26"):
        folds(faces, 26, "nothing", 0)
    with pytest.raises(DataError, match="into 11 parts without dividing subjects: it has 10"):
        folds(faces, 11, "subjects", 0)


def test_unknown_subjects_and_wrong_shares_are_refused():
    faces = dataset([0, 1] * 5, np.arange(10), np.arange(10))
    faces.subjects[3] = ""
    with pytest.raises(DataError, match="1 of its 10 faces have none"):
        divide(faces, (1, 1), "subjects", 0)
    with pytest.raises(DataError, match="two or more positive numbers"):
        divide(faces, (1, 0), "nothing", 0)


def test_a_dataset_without_splits_beside_others_with_some_is_named():
    faces = dataset([0, 1, 2, 3], [1, 2, 3, 4], range(4))
    two = dataclasses.replace(faces, sources=np.array(["one", "one", "two", "two"]))
    check_sources(two)
    check_sources(dataclasses.replace(two, splits=np.array(["train", "", "val", ""])))
    with pytest.raises(DataError, match="'two' has no splits and others of 'made' have: its 2 fac"):
        check_sources(dataclasses.replace(two, splits=np.array(["train", "val", "", ""])))


def test_a_split_is_written_into_the_history():
    faces = dataset([0, 1] * 5, np.arange(10), np.arange(10))
    split = divided(faces, by_ratio(faces, "50:50", "nothing", 0))
    assert set(split.splits) == {"train", "test"}
    assert split.history == ("split 50:50 with seed 0, keeping nothing together",)


def test_faces_that_a_division_leaves_out_are_counted_once():
    faces = dataset([0, 1] * 5, np.arange(10), np.arange(10))
    partly = dataclasses.replace(faces, splits=np.array(["train"] * 7 + ["test"] + [""] * 2))
    made = with_val(partly, 0.3, "nothing", 0)
    for split in (divided(partly, made), SplitFile.of(partly, *made).apply(partly)):
        assert len(split) == 8
        assert re.fullmatch(r"0\.3 of train made val .* together; 2 left out", split.history[-1])


def test_people_of_many_faces_are_tested_as_often_as_people_of_few():
    sizes = np.array([1, 2, 3, 4, 6, 9, 12, 15] * 10)
    people = np.repeat(np.arange(80), sizes)
    faces = dataset(np.arange(len(people)) % 4, np.arange(len(people)) % 256, people)
    faces = dataclasses.replace(faces, images=different_pictures(len(people)))
    one_each = np.flatnonzero(np.diff(people, append=-1))
    tested = [divide(faces, (80, 20), "subjects", seed)[one_each] for seed in range(30)]
    shares = {size: np.mean([one[sizes == size] for one in tested]) for size in (4, 6, 9, 12, 15)}
    assert all(0.1 < share < 0.3 for share in shares.values()), shares
    assert len({tuple(one) for one in tested}) == 30


def test_twins_are_tested_as_often_as_others():
    pictures = different_pictures(400)
    pictures[200:300:2] = pictures[201:300:2]  # 50 pairs
    faces = dataset(np.arange(400) % 4, np.zeros(400), np.arange(400))
    faces = dataclasses.replace(faces, images=pictures)
    tested = np.array([divide(faces, (80, 20), "twins", seed) for seed in range(20)])
    assert 0.15 < tested[:, 200:300].mean() < 0.25
    assert tested.mean() == pytest.approx(0.2, abs=0.01)


def different_pictures(count):
    return np.random.default_rng(0).integers(0, 256, (count, 4, 4), dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(datasets(), st.sampled_from(KEEPS), st.integers(0, 5))
def test_val_comes_out_of_train_and_divides_nothing_newly(faces, keep, seed):
    names = np.where(np.arange(len(faces)) % 5 == 0, "test", "train")
    names[-1] = ""
    faces = dataclasses.replace(faces, splits=names.astype("<U5"))
    try:
        splits, bound = val_of_train(faces, 0.2, keep, seed)
    except DataError as error:
        assert "parting" in str(error) or "cannot be divided" in str(error)
        return
    changed = splits != faces.splits
    assert set(faces.splits[changed]) == {"train"}
    assert set(splits[changed]) == {"val"}
    np.testing.assert_array_equal(splits, val_of_train(faces, 0.2, keep, seed)[0])
    val = splits == "val"
    groups = {"nothing": [], "twins": [twin_groups(faces.images)]}
    groups["subjects"] = [*groups["twins"], faces.subjects]
    tested = np.zeros(len(faces), dtype=bool)
    for numbers in groups[keep]:
        assert not np.isin(numbers[val], numbers[(splits != "val") & (splits != "")]).any()
        tested |= np.isin(numbers, numbers[splits == "test"])
    assert (tested & (faces.splits == "train")).sum() <= bound


def test_val_is_that_share_of_each_class_of_train():
    faces = dataset([0] * 100 + [1] * 50 + [2] * 20, np.arange(170), range(170))
    faces = dataclasses.replace(faces, images=different_pictures(170))
    faces.images[[1, 2]] = faces.images[0]
    whole = dataclasses.replace(faces, splits=np.full(170, "train"))
    for keep in ("nothing", "twins"):
        splits, bound = val_of_train(whole, 0.1, keep, 0)
        sizes = np.bincount(faces.targets[splits == "val"], minlength=3)
        assert sizes.tolist() == pytest.approx([10, 5, 2], abs=1)
        assert bound == 0
    tested = np.where(np.arange(170) % 2 == 0, "test", "train")
    splits, bound = val_of_train(dataclasses.replace(faces, splits=tested), 0.4, "twins", 0)
    assert (bound, splits[1]) == (1, "train")
    assert (splits == "val").sum() == pytest.approx(0.4 * 85, abs=1)


def test_what_has_val_or_no_train_gives_no_val():
    faces = dataset([0, 1] * 5, np.arange(10), np.arange(10) // 2)
    for found, names in (
        (["train", "val"], "train, val"),
        (["test", "test"], "test"),
        (["", ""], "none"),
    ):
        split = dataclasses.replace(faces, splits=np.array(found * 5, dtype="<U5"))
        with pytest.raises(DataError, match=rf"train, and no val, .*\. Got {names}: --ratio"):
            val_of_train(split, 0.1, "twins", 0)
    across = dataclasses.replace(faces, splits=np.array(["train", "test"] * 5))
    with pytest.raises(DataError, match="only 0 of them can be made val without parting subjects"):
        val_of_train(across, 0.1, "subjects", 0)


@pytest.mark.data
def test_ckplus_by_subject_leaks_no_subject_and_at_random_does(shared_data):
    from mien.data.readers import read_dataset

    faces = read_dataset(shared_data / "ckplus" / "CK+48.zip")
    random = divide(faces, (80, 20), "nothing", 0)
    shared = set(faces.subjects[random == 0]) & set(faces.subjects[random == 1])
    assert len(shared) > 50
    alone = divide(faces, (80, 20), "subjects", 0)
    assert not set(faces.subjects[alone == 0]) & set(faces.subjects[alone == 1])
    for target in range(7):
        inside = alone[faces.targets == target]
        assert 0.1 <= (inside == 1).mean() <= 0.3
    tested = [divide(faces, (64, 16, 20), "subjects", seed) == 2 for seed in range(20)]
    # The 28 people of 12 to 18 images, 4 sequences or more, are tested, too.
    many = np.isin(faces.subjects, [s for s in set(faces.subjects) if sum(faces.subjects == s) > 9])
    assert 0.1 < np.mean([one[many].mean() for one in tested]) < 0.3
