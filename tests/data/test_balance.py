import dataclasses

import numpy as np
import pytest

from mien.data.balance import at_most, balanced_test, combine
from mien.data.relabel import relabel
from mien.errors import DataError
from mien.labels import label_set


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


def test_a_balanced_test_has_as_many_of_each(uneven):
    mask = balanced_test(uneven, 3, 0)
    assert sizes(uneven.select(mask)) == [3] * 7
    with pytest.raises(DataError, match=r"needs 10 faces of each class\. .* of anger"):
        balanced_test(uneven, 10, 0)


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
    assert combine("both", [small_dataset, bare]).votes is None
    with pytest.raises(DataError, match="basic7 48x48 and four 48x48"):
        combine("both", [small_dataset, relabel(other, label_set("four"))])
