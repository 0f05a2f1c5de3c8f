import dataclasses

import numpy as np
import pytest

from mien.data.assemble import assemble
from mien.data.twins import twin_groups
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
    assert max(np.bincount(faces.targets)) == 10
    assert len(np.unique(twin_groups(faces.images))) == 40


def test_a_split_can_be_cleaned_alone(small_dataset):
    cleaned = {
        splits: assemble(part(clean=("identical",), clean_splits=splits), [small_dataset])
        for splits in ((), ("train",), ("val", "test"))
    }
    (gone,) = set(small_dataset.ids) - set(cleaned[()].ids)
    (split,) = small_dataset.splits[small_dataset.ids == gone]
    inside, outside = (
        (("train",), ("val", "test")) if split == "train" else (("val", "test"), ("train",))
    )
    assert set(cleaned[inside].ids) == set(cleaned[()].ids)
    assert set(cleaned[outside].ids) == set(small_dataset.ids)
    assert cleaned[("train",)].history[-1].startswith("cleaned of train: dropped ")
    without_val = small_dataset.select(np.flatnonzero(small_dataset.splits != "val"))
    with pytest.raises(DataError, match="Unknown split 'val'"):
        assemble(part(clean=("identical",), clean_splits=("val",)), [without_val])


@pytest.mark.parametrize("other", [{}, {"clean": ["identical"], "split": "80:20"}])
def test_a_split_that_is_cleaned_alone_is_the_datasets_own(other):
    with pytest.raises(ValueError, match="needs clean, and the official splits"):
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
