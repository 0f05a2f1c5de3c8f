import dataclasses

import numpy as np
import pytest

from mien.data.assemble import assemble
from mien.data.dataset import NO_TARGET
from mien.data.twins import twin_groups, twins_in
from mien.errors import DataError, RecipeError
from mien.labels import LABEL_SETS
from mien.recipe import DataPart


def part(**options):
    return DataPart(dataset="fer2013", **options)


def test_the_official_split_stays_as_it_is(small_dataset):
    assert assemble(part(), [small_dataset]).fingerprint == small_dataset.fingerprint


def test_every_step_is_done_in_order(small_dataset):
    faces = assemble(
        part(labels="four", clean=("identical",), at_most=10, split="70:15:15", at_least=9),
        [small_dataset],
    )
    steps = [step.split(":")[0].split(" ")[0] for step in faces.history[1:]]
    assert steps == ["label", "cleaned", "at", "split", "at"]
    assert set(faces.splits) == {"train", "val", "test"}
    assert max(np.bincount(faces.targets[faces.splits != "train"])) == 3
    assert np.bincount(faces.targets[faces.splits == "train"]).tolist() == [9] * 4
    assert len(np.unique(twin_groups(faces.images))) == 40


def with_copy(dataset, of, into):
    """The dataset, in which a face of a split is a pixel-identical copy of one of another split."""
    own, other = (int(np.flatnonzero(dataset.splits == split)[-1]) for split in (of, into))
    images, targets = dataset.images.copy(), dataset.targets.copy()
    images[other], targets[other] = images[own], targets[own]
    return dataclasses.replace(dataset, images=images, targets=targets), own, other


@pytest.mark.parametrize("first", [True, False])
def test_cleaning_training_alone_leaves_no_copy_of_a_test_face(small_dataset, first):
    order = np.argsort(small_dataset.splits == ("test" if first else "train"), kind="stable")
    faces, train, test = with_copy(small_dataset.select(order), "train", "test")
    assert (train < test) == first
    cleaned = assemble(part(clean=("identical",), clean_splits=("train",)), [faces])
    assert set(cleaned.ids[cleaned.splits == "test"]) == set(faces.ids[faces.splits == "test"])
    assert not twins_in(cleaned, ["test"])[cleaned.splits == "train"].any()
    assert faces.ids[train] in set(faces.ids) - set(cleaned.ids)
    gone = len(faces) - len(cleaned)
    assert cleaned.history[-1] == f"cleaned of train: dropped {gone} identical"
    everything = assemble(part(clean=("identical",)), [faces])
    assert everything.history[-1].startswith("cleaned: dropped")


@pytest.mark.parametrize("without", ["first", "second"])
def test_of_copies_the_one_with_a_label_stays(small_dataset, without):
    faces, train, test = with_copy(small_dataset, "train", "test")
    pair = sorted((train, test))
    bare = pair.pop(without == "second")
    faces.targets[bare] = NO_TARGET
    cleaned = set(assemble(part(clean=("identical",)), [faces]).ids)
    assert faces.ids[pair[0]] in cleaned
    assert faces.ids[bare] not in cleaned
    faces.targets[pair[0]] = NO_TARGET
    cleaned = set(assemble(part(clean=("identical",)), [faces]).ids)
    assert (faces.ids[train] in cleaned) == (train < test)
    assert (faces.ids[test] in cleaned) == (test < train)


def test_a_split_that_is_cleaned_must_be_there(small_dataset):
    without_val = small_dataset.select(np.flatnonzero(small_dataset.splits != "val"))
    with pytest.raises(DataError, match="'fer2013' cannot be cleaned in part: Unknown split 'val'"):
        assemble(part(clean=("identical",), clean_splits=("val",)), [without_val])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({}, "clean_splits needs clean"),
        ({"clean": ["identical"], "split": "80:20"}, r'needs split = "official"'),
        ({"clean": ["identical", "subjects"]}, "should not list 'subjects' where only train"),
    ],
)
def test_splits_cannot_be_cleaned_for_nothing(other, message):
    with pytest.raises(ValueError, match=message):
        part(clean_splits=["train"], **other)


def test_a_check_that_cannot_be_run_is_not_passed_over(small_dataset):
    unlabelled = dataclasses.replace(small_dataset, votes=None)
    with pytest.raises(RecipeError, match=r"data\.clean: 'not-a-face' cannot be run"):
        assemble(part(clean=("not-a-face",)), [unlabelled])


def test_papers_without_a_third_split_select_on_test(small_dataset):
    faces = assemble(part(split="80:20", validate_on_test=True), [small_dataset])
    assert set(faces.splits) == {"train", "val"}
    assert "was selected on" in faces.history[-1]
    official = assemble(part(validate_on_test=True), [small_dataset])
    assert len(official) == 56 + 14
    with pytest.raises(RecipeError, match="needs test faces"):
        assemble(part(validate_on_test=True), [official])


def test_a_balanced_test_is_taken_first(small_dataset):
    faces = assemble(part(test_per_class=2, split="90:10"), [small_dataset])
    assert np.bincount(faces.targets[faces.splits == "test"]).tolist() == [2] * 7
    assert (faces.splits == "val").sum() == pytest.approx(7, abs=2)
    groups = twin_groups(faces.images)
    test = set(groups[faces.splits == "test"])
    assert not test & set(groups[faces.splits != "test"])


def test_datasets_are_put_together_by_name(small_dataset):
    other = dataclasses.replace(small_dataset, name="ckplus48")
    both = DataPart(dataset="fer2013+ckplus48", labels="four", split="80:10:10")
    faces = assemble(both, [other, small_dataset])
    assert faces.name == "fer2013+ckplus48"
    assert faces.ids[0].startswith("fer2013/")
    with pytest.raises(RecipeError, match=r"Got 'fer2013' instead.*data\.dataset=fer2013"):
        assemble(both, [small_dataset])
    with pytest.raises(RecipeError, match=r"is for dataset 'fer2013'\. Got 'ckplus48'"):
        assemble(part(), [other])
    with pytest.raises(RecipeError, match=r"told apart by name\. Got 'fer2013' more than once"):
        assemble(both, [small_dataset, small_dataset])


@pytest.mark.parametrize("split", ["80", "a:b", "80:-20", "nan:20", "1:2:3:4"])
def test_a_wrong_ratio_is_refused(split):
    with pytest.raises(ValueError, match="ratio such as 80:10:10"):
        part(split=split)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_per_class": 5, "split": "64:16:20"}, "split should have two shares"),
        ({"merge": {"contempt": "disgust"}}, "merge needs labels"),
        ({"clean": ("subjects",), "split": "80:20"}, "should not list 'subjects'"),
        ({"clean": ("subjects",), "test_per_class": 5}, "should not list 'subjects'"),
    ],
)
def test_keys_that_undo_each_other_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        part(**options)


def test_datasets_of_different_label_sets_are_merged_into_one(small_dataset):
    wide = dataclasses.replace(
        small_dataset,
        name="ckplus48",
        labels=LABEL_SETS["ckplus7"],
        targets=np.where(small_dataset.targets == 4, 1, small_dataset.targets),
    )
    both = DataPart(
        dataset="fer2013+ckplus48",
        labels="four",
        merge={"contempt": "anger", "disgusted": "anger"},
        split="80:10:10",
    )
    faces = assemble(both, [small_dataset, wide])
    merged = {name.split("/")[0] for name in faces.ids[faces.targets == 0]}
    assert merged == {"fer2013", "ckplus48"}
    steps = [step for step in faces.history if "label set" in step]
    assert "merged 12 disgust into anger" in steps[0]
    assert "contempt" not in steps[0]
    assert "contempt into anger" in steps[1]
    alone = part(labels="four", merge={"contempt": "anger"})
    with pytest.raises(DataError, match=r"'contempt' cannot be merged: .*'fer2013' does not hold"):
        assemble(alone, [small_dataset])


def of_people(dataset, names):
    return dataclasses.replace(dataset, subjects=np.array([str(name) for name in names]))


def test_official_splits_that_divide_subjects_are_refused_where_these_are_kept(small_dataset):
    faces = small_dataset
    numbers = np.arange(len(faces))
    fitting = of_people(faces, [f"{s}{n % 3}" for n, s in enumerate(faces.splits)])
    assert assemble(part(keep="subjects"), [fitting]).fingerprint == fitting.fingerprint
    across = of_people(faces, numbers % 7)
    with pytest.raises(DataError, match="must keep subjects together and divide 7 of 7"):
        assemble(part(keep="subjects"), [across])
    unused = np.where(numbers % 7 == 0, "train", "").astype(faces.splits.dtype)
    assemble(part(keep="subjects"), [dataclasses.replace(across, splits=unused)])
    with pytest.raises(DataError, match="faces have none"):
        assemble(part(keep="subjects"), [faces])
