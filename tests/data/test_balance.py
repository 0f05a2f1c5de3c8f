import dataclasses

import numpy as np
import pytest

from mien.data.balance import at_least, at_most, balanced_test, combine
from mien.data.dataset import NO_TARGET
from mien.data.relabel import relabel
from mien.errors import DataError
from mien.labels import label_set
from mien.recipe import HeadPart
from mien.training.targets import head_targets


def sizes(dataset):
    return np.bincount(dataset.targets, minlength=len(dataset.labels)).tolist()


@pytest.fixture
def uneven(small_dataset):
    keep = (small_dataset.targets != 0) | (np.arange(len(small_dataset)) < 30)
    return small_dataset.select(keep)


def test_classes_are_cut_to_a_number_or_to_the_smallest(uneven):
    smallest = min(sizes(uneven))
    assert smallest < 12
    assert sizes(at_most(uneven, None, 0)) == [smallest] * 7
    assert sizes(at_most(uneven, 8, 0)) == [min(8, n) for n in sizes(uneven)]
    assert sizes(at_most(uneven, 99, 0)) == sizes(uneven)
    assert at_most(uneven, 8, 0).fingerprint == at_most(uneven, 8, 0).fingerprint
    assert at_most(uneven, 8, 0).fingerprint != at_most(uneven, 8, 1).fingerprint
    with pytest.raises(DataError, match=r"must be 1 or more\. Got 0"):
        at_most(uneven, 0, 0)
    blank = dataclasses.replace(uneven, targets=np.full(len(uneven), NO_TARGET))
    with pytest.raises(DataError, match="'fer2013' has no labelled face"):
        at_most(blank, None, 0)


def test_a_balanced_test_has_as_many_of_each(uneven):
    mask = balanced_test(uneven, 3, 0)
    assert sizes(uneven.select(mask)) == [3] * 7
    with pytest.raises(DataError, match=r"needs 10 faces of each class\. .* of anger"):
        balanced_test(uneven, 10, 0)
    for count in (0, -5):
        with pytest.raises(DataError, match=f"must be 1 or more. Got {count}"):
            balanced_test(uneven, count, 0)


def test_combining_keeps_sources_and_separates_names(small_dataset):
    other = dataclasses.replace(
        small_dataset, name="more", sources=np.full(len(small_dataset), "more")
    )
    both = combine("both", [small_dataset, other])
    assert len(both) == 2 * len(small_dataset)
    assert set(both.sources) == {"fer2013", "more"}
    assert both.ids[0] == "fer2013/fer2013-00000"
    assert both.ids[-1] == "more/fer2013-00083"
    assert both.votes.shape == (len(both), 10)
    bare = dataclasses.replace(other, votes=None)
    mixed = combine("both", [small_dataset, bare])
    np.testing.assert_array_equal(mixed.votes[: len(small_dataset)], small_dataset.votes)
    assert not mixed.votes[len(small_dataset) :].any()
    head = HeadPart(labels="ferplus8", target="votes")
    targets, seen = head_targets(mixed, head), head_targets(small_dataset, head)
    np.testing.assert_array_equal(targets.truth[: len(small_dataset)], seen.truth)
    np.testing.assert_array_equal(targets.shares[: len(small_dataset)], seen.shares)
    by_label = head_targets(bare, HeadPart(labels="ferplus8", target="label"))
    np.testing.assert_array_equal(targets.truth[len(small_dataset) :], by_label.truth)
    np.testing.assert_array_equal(targets.shares[len(small_dataset) :], by_label.shares)
    assert combine("both", [dataclasses.replace(bare, name="bare"), bare]).votes is None
    with pytest.raises(DataError, match="basic7 48x48 and four 48x48"):
        combine("both", [small_dataset, relabel(other, label_set("four"))])


def test_rare_classes_are_repeated_in_train_only(uneven):
    grown = at_least(uneven, 12, 0)
    assert sizes(grown.in_split("train")) == [max(12, n) for n in sizes(uneven.in_split("train"))]
    for split in ("val", "test"):
        assert sizes(grown.in_split(split)) == sizes(uneven.in_split(split))
    added = len(grown) - len(uneven)
    assert set(grown.splits[len(uneven) :]) == {"train"}
    assert all("#" in name for name in grown.ids[len(uneven) :])
    assert grown.history[-1] == f"at least 12 of each class with seed 0: {added} repeated"
    np.testing.assert_array_equal(grown.ids[: len(uneven)], uneven.ids)


def test_rare_classes_do_not_become_the_common_ones(small_dataset):
    splits = np.where(small_dataset.splits == "train", "train", "test")
    common = (small_dataset.targets == 0) & (small_dataset.splits == "train")
    first = np.flatnonzero(common)[0]
    uneven = dataclasses.replace(small_dataset, splits=splits).select(
        ~common | (np.arange(len(small_dataset)) == first)
    )
    assert sizes(uneven.in_split("train"))[0] == 1
    assert sizes(at_least(uneven, 8, 0).in_split("train")) == [8] * 7


def test_without_splits_all_faces_count(uneven):
    bare = dataclasses.replace(uneven, splits=np.full(len(uneven), "", dtype="<U5"))
    assert sizes(at_least(bare, 12, 0)) == [max(12, n) for n in sizes(bare)]


def test_repeats_are_spread_evenly(uneven):
    grown = at_least(uneven, 100, 0)
    assert sizes(grown.in_split("train")) == [100] * 7
    counts = np.unique([i.split("#")[0] for i in grown.ids[grown.targets == 2]], return_counts=True)
    trained = uneven.ids[(uneven.targets == 2) & (uneven.splits == "train")]
    repeats = [n for name, n in zip(*counts) if name in set(trained)]
    assert max(repeats) - min(repeats) <= 1


def test_what_cannot_be_repeated_is_an_error(small_dataset):
    judged = small_dataset.select(small_dataset.splits != "train")
    with pytest.raises(DataError, match="has no anger in train to repeat"):
        at_least(judged, 50, 0)
    with pytest.raises(DataError, match="must be 1 or more"):
        at_least(judged, 0, 0)


def test_what_was_repeated_can_be_repeated_again(uneven):
    once = at_least(uneven, 12, 0)
    again = at_least(once, 30, 0)
    assert sizes(again.in_split("train")) == [30] * 7
    assert len(set(again.ids)) == len(again)
    np.testing.assert_array_equal(again.ids[: len(once)], once.ids)


def test_datasets_of_one_name_are_not_combined(small_dataset):
    """Subject 01 of one study would become subject 01 of the other."""
    ids = np.array([f"other-{name}" for name in small_dataset.ids])
    other = dataclasses.replace(small_dataset, ids=ids)
    with pytest.raises(DataError, match=r"'fer2013' more than once: mien data convert --as gives"):
        combine("both", [small_dataset, other])
    both = combine("both", [small_dataset, other.renamed("study")])
    assert both.ids[-1] == "study/other-fer2013-00083"
    assert set(both.sources) == {"fer2013", "study"}


def test_faces_without_a_split_beside_others_are_not_repeated(uneven):
    splits = np.where(np.arange(len(uneven)) % 3 == 0, "", uneven.splits)
    partly = dataclasses.replace(uneven, splits=splits)
    assert sizes(at_least(partly, 9, 0).in_split("train")) == [9] * 7
