import dataclasses
import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interruption import interrupt_at
from makers import SMALL_RECIPE
from mien.data.audit.probabilities import read_probabilities
from mien.data.dataset import FaceDataset
from mien.data.split import known_keep
from mien.data.split_file import SplitFile
from mien.data.twins import twin_groups
from mien.errors import DataError, MienError
from mien.evaluation.folds.cross_validation import cross_validate
from mien.evaluation.folds.page import write_page
from mien.evaluation.folds.spread import spread
from mien.labels import label_set
from mien.recipe import find_recipe, load_recipe
from mien.training.cross_validation import (
    begin,
    given_folds,
    new_folds,
    pool_of,
    undivided,
)

TINY = [
    *SMALL_RECIPE,
    "network.options={stem = 8, channels = [8], blocks = [1], dropout = 0.0}",
    'heads=[{labels = "basic7"}]',
    "training.batch_size=16",
    "training.epochs=2",
]


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*TINY, *overrides])


def faces(subjects, classes, images, split=""):
    """N faces of 2x2 pixels; equal numbers in `images` are identical images."""
    count = len(subjects)
    return FaceDataset(
        name="drawn",
        labels=label_set("happy+sad"),
        images=np.array(images, np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2),
        targets=np.array(classes, np.int64),
        splits=np.full(count, split),
        subjects=np.array([f"s{s}" for s in subjects]),
        sources=np.full(count, "drawn"),
        ids=np.array([f"f{n}" for n in range(count)]),
    )


def test_mean_deviation_and_interval_are_students():
    found = spread([0.8, 0.9, 0.7], 0.81, (0.75, 0.86))
    assert found.mean == pytest.approx(0.8)
    assert found.deviation == pytest.approx(0.1)
    # t at 97.5 % with 2 degrees of freedom is 4.302653 in any table.
    assert found.high - found.mean == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)
    assert (found.pooled, found.pooled_low, found.pooled_high) == (0.81, 0.75, 0.86)


@st.composite
def populations(draw):
    count = draw(st.integers(24, 60))
    numbers = st.lists(st.integers(0, 15), min_size=count, max_size=count)
    images = st.lists(st.integers(0, 40), min_size=count, max_size=count)
    return faces(draw(numbers), [n % 2 for n in range(count)], draw(images))


@settings(max_examples=40)
@given(populations(), st.integers(2, 5), st.sampled_from(["twins", "subjects"]), st.integers(0, 9))
def test_each_face_is_held_out_once_and_no_group_stands_on_two_sides(data, count, keep, seed):
    try:
        plan = new_folds(recipe(), pool_of(data), count, keep=keep, seed=seed)
        parts = [plan.faces_of(fold) for fold in range(count)]
    except DataError:
        return  # fewer groups than folds
    held = [name for part in parts for name in part.ids[part.splits == "test"]]
    assert sorted(held) == sorted(data.ids)
    for part in parts:
        groups = part.subjects if keep == "subjects" else twin_groups(part.images)
        for group in np.unique(groups):
            assert len(set(part.splits[groups == group])) == 1
        assert set(part.splits) == {"train", "val", "test"}


def test_the_recipe_says_what_stays_together_unless_the_user_does():
    data = faces([0, 0, 1, 1, 2, 2, 3, 3], [0, 1] * 4, range(8))
    assert new_folds(recipe("data.keep=subjects"), data, 2).keep == "subjects"
    assert new_folds(recipe("data.keep=subjects"), data, 2, keep="nothing").keep == "nothing"


def test_selecting_on_the_fold_uses_all_others_for_training():
    data = faces(range(8), [0, 1] * 4, range(8))
    plan = new_folds(recipe(), data, 4, select_on_fold=True)
    part = plan.faces_of(1)
    assert (part.splits == "val").tolist() == (plan.numbers == 1).tolist()
    assert set(part.splits) == {"train", "val"}


def test_only_training_faces_are_repeated():
    data = faces(range(20), [0] * 15 + [1] * 5, range(20))
    plan = new_folds(recipe("data.at_least=12"), data, 5, keep="nothing")
    for fold in range(5):
        part = plan.faces_of(fold)
        copies = np.array(["#" in name for name in part.ids])
        assert copies.any()
        assert set(part.splits[copies]) == {"train"}
        assert (part.splits == "test").sum() == (plan.numbers == fold).sum()


def test_faces_are_assembled_once_and_test_is_not_validation():
    wanted = undivided(recipe("data.at_least=9", "data.validate_on_test=true"))
    assert (wanted.data.at_least, wanted.data.validate_on_test) == (0, False)


def test_test_faces_and_faces_without_a_label_are_set_aside(small_dataset):
    pool = pool_of(small_dataset)
    assert "test" not in pool.splits
    assert len(pool) == 70
    assert len(pool_of(small_dataset, with_test=True)) == 84
    unknown = dataclasses.replace(small_dataset, targets=np.full(84, -1))
    with pytest.raises(MienError, match="no labelled face outside test"):
        pool_of(unknown)


def test_too_many_folds_are_one_sentence(small_dataset):
    with pytest.raises(DataError, match=r"2 to the size of the smallest class, 10\. Got 11"):
        new_folds(recipe(), pool_of(small_dataset), 11)
    data = faces([0, 0, 0, 1, 1, 1], [0, 1] * 3, range(6))
    with pytest.raises(DataError, match="without dividing subjects: it has 2 of them"):
        new_folds(recipe(), data, 3, keep="subjects")
    with pytest.raises(MienError, match="did you mean 'subjects'"):
        known_keep("subject")


def test_folds_can_be_given_as_a_file(small_dataset):
    pool = pool_of(small_dataset)
    made = new_folds(recipe(), pool, 3, seed=4)
    plan = given_folds(recipe(), small_dataset, made.split_file())
    assert (plan.numbers == made.numbers).all()
    assert plan.count == 3


def test_folds_of_a_file_do_not_divide_subjects_that_the_recipe_keeps():
    drawn = faces([n // 4 for n in range(32)], [n % 2 for n in range(32)], range(32))
    wanted = recipe("data.keep=subjects")
    split = new_folds(wanted, drawn, 3, keep="nothing").split_file()
    with pytest.raises(MienError, match="was to keep subjects together and divides"):
        given_folds(wanted, drawn, split)
    assert given_folds(wanted, drawn, split, keep="nothing").keep == "nothing"
    assert given_folds(wanted, drawn, new_folds(wanted, drawn, 3).split_file()).keep == "subjects"


def test_what_is_divided_into_folds_may_have_official_splits_that_divide_subjects():
    assert undivided(recipe("data.keep=subjects")).data.keep == "twins"
    by_ratio = recipe("data.keep=subjects", "data.split=64:16:20")
    assert undivided(by_ratio).data.keep == "subjects"


def test_a_file_that_does_not_fit_is_one_sentence(small_dataset):
    whole = pool_of(small_dataset, with_test=True)
    of_all = new_folds(recipe(), whole, 3).split_file()
    with pytest.raises(MienError, match=r"set aside as test .* add --with-test"):
        given_folds(recipe(), small_dataset, of_all)
    assert len(given_folds(recipe(), small_dataset, of_all, with_test=True).pool) == 84
    with pytest.raises(MienError, match="have none"):
        given_folds(recipe(), small_dataset, of_all, with_test=True, keep="subjects")
    foreign = new_folds(recipe(), faces(range(8), [0, 1] * 4, range(8)), 2).split_file()
    with pytest.raises(MienError, match="of another dataset"):
        given_folds(recipe(), small_dataset, foreign)
    splits = SplitFile.of(small_dataset, small_dataset.splits.tolist(), "as it came")
    with pytest.raises(MienError, match=r"two or more folds\. Got the parts test, train, val"):
        given_folds(recipe(), small_dataset, splits)


def test_a_folder_is_begun_once_and_continued_with_the_same_folds(small_dataset, tmp_path):
    pool = pool_of(small_dataset)
    plan = new_folds(recipe(), pool, 3)
    folder = tmp_path / "cv"
    with pytest.raises(MienError, match="no cross-validation to resume"):
        begin(plan, folder, resume=True)
    begin(plan, folder, resume=False)
    begin(plan, folder, resume=True)
    with pytest.raises(MienError, match="continue it with --resume"):
        begin(plan, folder, resume=False)
    with pytest.raises(MienError, match="other folds"):
        begin(new_folds(recipe(), pool, 3, seed=1), folder, resume=True)
    with pytest.raises(MienError, match="same folds made otherwise"):
        begin(new_folds(recipe(), pool, 3, select_on_fold=True), folder, resume=True)
    with pytest.raises(MienError, match="must be a path without '::'"):
        begin(plan, tmp_path / "c::v", resume=False)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").touch()
    with pytest.raises(MienError, match=r"it holds notes\.txt"):
        begin(plan, tmp_path / "other", resume=False)


@pytest.mark.parametrize("dropped", [False, True])
def test_twins_that_were_left_out_of_training_are_no_leaks(small_dataset, tmp_path, dropped):
    images = small_dataset.images.copy()
    images[1::2] = images[::2]
    twins = dataclasses.replace(small_dataset, images=images)
    wanted = recipe(f"data.drop_twins={str(dropped).lower()}", "training.epochs=1")
    plan = new_folds(wanted, pool_of(twins, with_test=True), 2, keep="nothing", select_on_fold=True)
    (head,) = cross_validate(plan, tmp_path / "cv", progress=False).heads
    assert (head.leaked == 0) == dropped


@pytest.mark.slow
def test_an_interrupted_cross_validation_ends_as_one_that_was_not(
    small_dataset, tmp_path, monkeypatch
):
    plan = new_folds(recipe(), pool_of(small_dataset, with_test=True), 2)
    whole = cross_validate(plan, tmp_path / "whole", progress=False)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 4)  # in fold 1's second epoch
        with pytest.raises(KeyboardInterrupt):
            cross_validate(plan, tmp_path / "broken", progress=False)
    assert (tmp_path / "broken" / "fold-0" / "fold.json").exists()
    seen = interrupt_at(monkeypatch, 0)
    again = cross_validate(plan, tmp_path / "broken", resume=True, progress=False)
    assert seen == [1]
    assert [h.as_dict() for h in again.heads] == [h.as_dict() for h in whole.heads]
    tables = [pq.read_table(tmp_path / n / "out-of-fold.parquet") for n in ("whole", "broken")]
    assert tables[0].equals(tables[1])
    _check_outputs(whole, small_dataset)


def _check_outputs(done, dataset):
    """Check what a cross-validation leaves against each other."""
    path = done.folder / "out-of-fold.parquet"
    assert pq.read_table(path).column_names[0] == "id"
    shares = read_probabilities(path, dataset)
    assert np.allclose(shares.sum(1), 1)
    (head,) = done.heads
    (written,) = json.loads((done.folder / "crossval.json").read_text())["heads"]
    right = (shares.argmax(1) == dataset.targets).mean()
    assert written["metrics"]["accuracy"]["pooled"] == pytest.approx(right)
    assert np.diagonal(head.confusion).sum() / head.confusion.sum() == pytest.approx(right)
    values = [fold["metrics"]["accuracy"] for fold in written["folds"]]
    assert written["metrics"]["accuracy"]["mean"] == pytest.approx(np.mean(values))
    assert written["metrics"]["accuracy"]["deviation"] == pytest.approx(np.std(values, ddof=1))
    assert [fold["faces"] for fold in written["folds"]] == [42, 42]
    page = write_page(done).read_text()
    assert page.count("<img") == 2
    assert 'src="http' not in page
