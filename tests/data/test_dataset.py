import csv
import dataclasses

import numpy as np
import pytest

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.sample import Sample
from mien.data.twins import twin_groups, twins_in
from mien.errors import DataError
from mien.labels import label_set


def sample(id_, value=0, expression="anger", **more):
    return Sample(id=id_, image=np.full((4, 4), value, np.uint8), expression=expression, **more)


def make(*samples):
    return FaceDataset.from_samples("own", label_set("basic7"), samples)


def test_samples_come_back_as_they_went_in():
    samples = [
        sample("a", 1, "fear", split="train", subject="s1", source="x"),
        sample("b", 2, "", split="test", source="y"),
    ]
    dataset = make(*samples)
    for wanted, found in zip(samples, dataset):
        assert dataclasses.replace(wanted, image=0) == dataclasses.replace(found, image=0)
        np.testing.assert_array_equal(wanted.image, found.image)
    assert dataset.targets.tolist() == [2, NO_TARGET]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([sample("a"), sample("a")], "holds the id 'a' more than once"),
        ([sample("a", expression="contempt")], "'contempt', which label set 'basic7' lacks"),
        ([sample("a", split="Training")], "Got 'Training' instead"),
        ([], "Got no images instead"),
        (
            [sample("a"), dataclasses.replace(sample("b"), image=np.zeros((2, 3), np.uint8))],
            "Got 4x4 for 'a' and 3x2 for 'b'",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(samples, message):
    with pytest.raises(DataError, match=message):
        make(*samples)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((1, 4, 4))}, "must be uint8"),
        ({"targets": np.array([9])}, "must be -1 to 6"),
        ({"ids": np.array(["a", "b"])}, "one value per image, 1"),
        ({"votes": np.zeros((1, 8), np.uint8)}, r"must have shape \(1, 10\)"),
    ],
)
def test_wrong_arrays_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        dataclasses.replace(make(sample("a")), **change)


def test_the_fingerprint_is_of_the_content():
    base = make(sample("a", 1), sample("b", 2))
    assert base.fingerprint == make(sample("a", 1), sample("b", 2)).fingerprint
    assert base.fingerprint == dataclasses.replace(base, name="new", history=("x",)).fingerprint
    others = [
        make(sample("a", 1), sample("b", 3)),
        make(sample("a", 1), sample("b", 2, "fear")),
        make(sample("a", 1, split="val"), sample("b", 2)),
        make(sample("a", 1), sample("c", 2)),
        make(sample("a", 1, subject="s"), sample("b", 2)),
        dataclasses.replace(base, votes=np.zeros((2, 10), np.uint8)),
    ]
    assert len({base.fingerprint, *(o.fingerprint for o in others)}) == 7


def test_a_missing_split_names_those_there_are():
    dataset = make(sample("a", split="train"))
    with pytest.raises(DataError, match="has no split 'val': it has 'train'"):
        dataset.in_split("val")
    with pytest.raises(DataError, match="has no split 'val': it has none at all"):
        make(sample("a")).in_split("val")


def test_twins_are_found_across_splits_and_within():
    dataset = make(
        sample("a", 1, split="train"),
        sample("b", 2, split="train"),
        sample("c", 1, split="test"),
        sample("d", 3, split="test"),
        sample("e", 3, split="test"),
        sample("f", 2, split="val"),
    )
    assert twin_groups(dataset.images).tolist() == [0, 1, 0, 2, 2, 1]
    assert twins_in(dataset, ["test"]).tolist() == [True, False, False, True, True, False]
    assert twins_in(dataset, ["val", "test"]).tolist() == [True, True, False, True, True, False]


@pytest.mark.data
def test_the_real_fer2013_leaks_as_measured(real_fer2013, shared_data):
    with (shared_data / "fer2013" / "fer2013new.csv").open() as file:
        named = np.array([row["Image name"] != "" for row in csv.DictReader(file)])
    exact = real_fer2013.select(named)
    groups = np.bincount(twin_groups(exact.images))
    assert len(exact) == 35_714
    assert int((groups > 1).sum()) == 1_513
    assert int(groups[groups > 1].sum()) == 3_353
    everything = np.bincount(twin_groups(real_fer2013.images))
    assert int((everything > 1).sum()) == 1_514
    assert int(everything[everything > 1].sum()) == 3_367
    in_train = twins_in(exact, ["train"])
    assert int(in_train[exact.splits == "test"].sum()) == 288
    assert int(in_train[exact.splits == "val"].sum()) == 279


def test_another_name_is_the_source_of_its_own_faces_only(small_dataset):
    sources = small_dataset.sources.astype("<U20")
    sources[0] = "elsewhere"
    renamed = dataclasses.replace(small_dataset, sources=sources).renamed("a much longer name")
    assert renamed.name == "a much longer name"
    assert renamed.sources.tolist() == ["elsewhere"] + ["a much longer name"] * (len(renamed) - 1)
    assert renamed.history[-1] == "named a much longer name, before fer2013"
