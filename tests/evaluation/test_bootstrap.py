from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap as oracle
from scipy.stats import t as student

from mien.evaluation.bootstrap import (
    RESAMPLES,
    bounds,
    interval,
    intervals,
    resampled,
    share_interval,
    widened,
)
from mien.evaluation.metrics import METRICS, accuracy, balanced_accuracy, brier, kappa
from mien.evaluation.unvaried import wilson


def answers(right):
    """Truth and probabilities of two classes by whether each face is right."""
    right = np.asarray(right, bool)
    return np.zeros(len(right), np.int64), np.where(right[:, None], [[0.9, 0.1]], [[0.1, 0.9]])


def width(found):
    return found[1] - found[0]


SUBJECTS = np.repeat([f"s{i:02}" for i in range(40)], 10)
BY_SUBJECT = answers(np.repeat(np.arange(40) % 4 > 0, 10))
"""400 faces of 40 subjects, three quarters of which are right on every face."""


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30), st.integers(0, 1000))
def test_subjects_are_drawn_whole(names, seed):
    groups = np.array(names)
    faces = {group: np.flatnonzero(groups == group) for group in np.unique(groups)}
    for pick in islice(resampled(len(groups), groups, seed), 20):
        times = np.bincount(pick, minlength=len(groups))
        drawn = [times[members] for members in faces.values()]
        assert all(len(set(of_subject)) == 1 for of_subject in drawn)
        assert sum(of_subject[0] for of_subject in drawn) == len(faces)


@given(st.integers(1, 50), st.integers(0, 1000))
def test_faces_are_drawn_with_replacement(count, seed):
    picks = list(islice(resampled(count, None, seed), 20))
    assert all(len(pick) == count and set(pick) <= set(range(count)) for pick in picks)
    again = islice(resampled(count, None, seed), 20)
    assert all((pick == same).all() for pick, same in zip(picks, again, strict=True))


def test_every_face_is_drawn_once_on_average():
    for groups in (None, np.array(list("aaabbc"))):
        picks = list(resampled(6, groups, 0))
        assert len(picks) == RESAMPLES == 1000
        times = np.bincount(np.concatenate(picks), minlength=6) / RESAMPLES
        np.testing.assert_allclose(times, 1, atol=0.1)
        assert any(len(set(pick.tolist())) < 6 for pick in picks)


def test_intervals_of_faces_agree_with_scipy():
    right = np.arange(400) % 4 > 0
    found = interval(accuracy, *answers(right))
    expected = oracle((right.astype(float),), np.mean, method="percentile", rng=0)
    assert found == pytest.approx(tuple(expected.confidence_interval), abs=0.006)


def test_intervals_of_subjects_agree_with_scipy():
    found = interval(accuracy, *BY_SUBJECT, SUBJECTS)
    of_subjects = (np.arange(40) % 4 > 0).astype(float)
    expected = oracle((of_subjects,), np.mean, method="percentile", rng=0)
    assert found == pytest.approx(tuple(expected.confidence_interval), abs=0.026)


def test_faces_that_are_alike_widen_the_interval():
    # Ten faces of a subject tell as much as one: wider by the root of ten.
    alike = interval(accuracy, *BY_SUBJECT, SUBJECTS)
    assert width(alike) / width(interval(accuracy, *BY_SUBJECT)) == pytest.approx(10**0.5, rel=0.15)


def test_subjects_that_say_nothing_of_a_face_leave_the_interval_as_it_is():
    truth, shares = BY_SUBJECT
    mixed = np.random.default_rng(0).permutation(SUBJECTS)
    single = np.array([f"s{i:03}" for i in range(400)])
    expected = width(interval(accuracy, truth, shares))
    assert width(interval(accuracy, truth, shares, single)) == pytest.approx(expected, rel=0.1)
    assert width(interval(accuracy, truth, shares, mixed)) == pytest.approx(expected, rel=0.25)


def test_a_single_subject_leaves_its_faces_to_draw():
    truth, shares = answers([True, True, False, True])
    one = np.array(["one"] * 4)
    assert interval(accuracy, truth, shares, one) == interval(accuracy, truth, shares)
    hits = np.array([True, True, False, True])
    assert share_interval(hits, one) == wilson(3, 4)


@pytest.mark.parametrize(("right", "border"), [(True, 1.0), (False, 0.0)])
def test_where_every_face_is_read_alike_the_interval_is_wilsons(right, border):
    truth, shares = answers([right] * 196)
    expected = wilson(196 * right, 196)
    assert border in expected
    assert interval(accuracy, truth, shares) == expected
    people = np.repeat([f"s{i}" for i in range(14)], 14)
    assert interval(accuracy, truth, shares, people) == wilson(14 * right, 14)


def test_subjects_of_equal_shares_do_not_make_an_interval_without_width():
    hits = np.array([True, True, False, False, False] * 2)
    assert share_interval(hits, np.repeat(["a", "b"], 5)) == pytest.approx(wilson(0.8, 2))


@given(hits=st.integers(0, 50), of=st.integers(1, 50))
def test_wilsons_interval_holds_its_share(hits, of):
    low, high = wilson(min(hits, of), of)
    assert 0 <= low <= min(hits, of) / of <= high <= 1


def test_all_metrics_see_the_same_resamples():
    truth, shares = BY_SUBJECT
    mistakes = {"accuracy": accuracy, "error": lambda t, p: 1 - accuracy(t, p)}
    found = intervals(mistakes, truth, shares, SUBJECTS, seed=5)
    low, high = found["accuracy"]
    assert found["error"] == pytest.approx((1 - high, 1 - low))
    assert (low, high) == interval(accuracy, truth, shares, SUBJECTS, seed=5)
    assert (low, high) != interval(accuracy, truth, shares, SUBJECTS, seed=6)


@pytest.mark.parametrize("name", METRICS)
def test_the_figure_lies_within_its_interval(name):
    generator = np.random.default_rng(0)
    shares = generator.dirichlet(np.ones(4) / 3, 300)
    truth = np.array([generator.choice(4, p=row) for row in shares])
    low, high = interval(METRICS[name], truth, shares)
    assert low < high
    if name != "ece":  # which resampling makes worse: a drawn face falls into its bin twice
        assert low < METRICS[name](truth, shares) < high


def test_bounds_hold_the_middle_of_what_is_defined():
    values = np.arange(101, dtype=float)
    assert bounds(values) == pytest.approx((2.5, 97.5))
    with_gaps = np.concatenate([[np.nan] * 50, values, [np.nan]])
    assert bounds(with_gaps) == bounds(values)
    assert np.isnan(bounds(np.array([np.nan, np.nan]))).all()
    assert np.isnan(bounds(np.array([]))).all()


def test_an_undefined_figure_has_an_undefined_interval():
    assert np.isnan(interval(kappa, *answers([True] * 5))).all()


def test_few_subjects_make_an_interval_as_wide_as_students():
    shares = np.array([0.5, 0.6, 0.8, 0.9])
    truth, said = answers(np.concatenate([np.arange(10) < 10 * share for share in shares]))
    people = np.repeat(list("abcd"), 10)
    low, high = interval(accuracy, truth, said, people)
    half = student.ppf(0.975, 3) * shares.std(ddof=1) / 2
    assert (low, high) == pytest.approx((0.7 - half, 0.7 + half), abs=0.06)
    assert share_interval(said.argmax(1) == truth, people) == pytest.approx((low, high))


@pytest.mark.parametrize("count", [2, 5, 29])
def test_widening_keeps_the_middle_and_the_range_of_a_metric(count):
    low, high = widened((0.4, 0.5), count)
    assert low < 0.4 < 0.5 < high
    if high < 1 and low > 0:
        assert low + high == pytest.approx(0.9)
    assert widened((0.01, 0.99), count) == (0, 1)
    assert widened((0.4, 1.99), count, (0, 2))[1] == 2
    assert widened((0.4, 0.5), 30) == (0.4, 0.5)


def test_a_mean_over_classes_is_as_sure_as_its_classes():
    truth = np.array([0] * 100 + [1])
    shares = np.eye(2)[truth]
    low, high = interval(balanced_accuracy, truth, shares)
    assert low == pytest.approx((wilson(100, 100)[0] + wilson(1, 1)[0]) / 2)
    assert high == 1
    assert interval(accuracy, truth, shares)[0] == wilson(101, 101)[0]


@pytest.mark.parametrize("metric", [METRICS["nll"], METRICS["ece"], brier])
def test_what_is_no_share_has_no_interval_where_nothing_varies(metric):
    truth = np.array([0, 1] * 10)
    assert metric(truth, np.eye(2)[truth]) == 0
    assert np.isnan(interval(metric, truth, np.eye(2)[truth])).all()


def test_a_constant_answer_has_no_interval_of_kappa():
    truth = np.array([0, 1] * 10)
    assert np.isnan(interval(kappa, truth, np.tile([0.9, 0.1], (20, 1)))).all()


def test_a_constant_answer_has_an_interval_of_its_mean_recall():
    truth, shares = np.array([0] * 50 + [1] * 50), np.tile([0.9, 0.1], (100, 1))
    assert interval(balanced_accuracy, truth, shares) == pytest.approx(wilson(25, 50))
