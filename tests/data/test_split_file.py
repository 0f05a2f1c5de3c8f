import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.data.split import divide, divide_rest, folds
from mien.data.split_file import SplitFile
from mien.data.twins import twin_groups
from mien.errors import DataError


@pytest.fixture
def split(small_dataset):
    names = np.array(["train", "val"])[divide(small_dataset, (80, 20), "twins", 0)]
    return SplitFile.of(small_dataset, names.tolist(), "split 80:20")


def test_a_split_that_was_written_is_the_split_that_is_read(small_dataset, split, tmp_path):
    split.write(tmp_path / "split.json")
    found = SplitFile.read(tmp_path / "split.json")
    assert found == split
    again = found.apply(small_dataset)
    assert again.fingerprint == split.apply(small_dataset).fingerprint
    assert set(again.splits) == {"train", "val"}
    assert again.history[-1] == "split 80:20"


@given(st.lists(st.sampled_from(["train", "val", "test", ""]), min_size=84, max_size=84))
def test_each_face_gets_the_part_it_was_given_in_any_order(small_dataset, names):
    if not any(names):
        return
    split = SplitFile.of(small_dataset, names, "by hand")
    order = np.random.default_rng(0).permutation(len(small_dataset))
    applied = split.apply(small_dataset.select(order))
    wanted = {str(i): n for i, n in zip(small_dataset.ids, names) if n}
    assert dict(zip(applied.ids.tolist(), applied.splits.tolist())) == wanted


def test_a_split_without_a_face_is_refused(small_dataset):
    with pytest.raises(DataError, match="has no face in any part"):
        SplitFile.of(small_dataset, [""] * len(small_dataset), "none")


def test_a_fold_becomes_test(small_dataset):
    parts = folds(small_dataset, 3, "twins", 0)
    split = SplitFile.of(small_dataset, [str(p) for p in parts], "3 folds")
    assert split.has_folds
    for fold in range(3):
        applied = split.apply(small_dataset, fold)
        np.testing.assert_array_equal(applied.splits == "test", parts == fold)
        assert applied.history[-1] == f"3 folds; fold {fold} is test"
    for wrong in (None, 3):
        with pytest.raises(DataError, match="has the folds 0 to 2"):
            split.apply(small_dataset, wrong)


def test_folds_are_counted_as_numbers(small_dataset):
    names = [str(place % 12) for place in range(len(small_dataset))]
    split = SplitFile.of(small_dataset, names, "12 folds")
    assert list(split.parts) == [str(number) for number in range(12)]
    np.testing.assert_array_equal(split.numbers(small_dataset), np.arange(84) % 12)


def test_a_split_without_folds_takes_no_fold(small_dataset, split):
    with pytest.raises(DataError, match="has no folds: its parts are train, val"):
        split.apply(small_dataset, 0)


def test_a_split_of_other_data_is_refused(small_dataset, split):
    with pytest.raises(DataError, match="has no face 'fer2013-000"):
        split.apply(small_dataset.select(np.arange(40)))
    changed = dataclasses.replace(small_dataset, images=255 - small_dataset.images)
    with pytest.raises(DataError, match="made for other images"):
        split.apply(changed)


def test_a_split_of_a_cleaned_dataset_cleans_the_raw_one(small_dataset):
    cleaned = small_dataset.select(np.arange(10, 84))
    split = SplitFile.of(cleaned, cleaned.splits.tolist(), "official, cleaned")
    applied = split.apply(small_dataset)
    assert applied.fingerprint == cleaned.fingerprint
    assert applied.history[-1] == "official, cleaned; 10 left out"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: "{", "it is not JSON"),
        (lambda c: json.dumps([1]), "is not a split file"),
        (lambda c: json.dumps({**c, "format": 2}), "format"),
        (lambda c: json.dumps({**c, "how": None}), "how"),
        (lambda c: json.dumps({**c, "parts": {"train": ["x"]}}), "was changed since it was made"),
    ],
)
def test_a_damaged_split_file_says_so(split, tmp_path, change, message):
    path = tmp_path / "split.json"
    path.write_text(change(split.model_dump(mode="json")))
    with pytest.raises(DataError, match=message):
        SplitFile.read(path)


def test_a_missing_split_file_says_so(tmp_path):
    with pytest.raises(DataError, match=r"none\.json cannot be opened"):
        SplitFile.read(tmp_path / "none.json")


def test_the_rest_of_a_balanced_test_holds_no_twin_of_it(small_dataset):
    groups = twin_groups(small_dataset.images)
    twin = np.flatnonzero(np.bincount(groups)[groups] > 1)
    assert len(twin) == 2
    taken = np.zeros(len(small_dataset), bool)
    taken[twin[0]] = True
    parts = divide_rest(small_dataset, taken, (80, 20), "twins", 0)
    assert parts[twin].tolist() == [-1, -1]
    assert (parts == -1).sum() == 2
    parts = divide_rest(small_dataset, taken, (100,), "nothing", 0)
    assert np.bincount(parts + 1).tolist() == [1, 83]
