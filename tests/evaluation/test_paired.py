from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

import makers
from mien.evaluation.bootstrap import interval
from mien.evaluation.metrics import METRICS, accuracy
from mien.evaluation.paired import McNemar, holm, mcnemar, paired_difference


def deciding(right):
    """Probabilities of a model that is right, class 0, or not."""
    return np.where(np.asarray(right)[:, None], [[0.9, 0.1]], [[0.2, 0.8]])


def outcomes(both, first_only, second_only, neither):
    """Where each of two models is right."""
    counts = [both, first_only, second_only, neither]
    first, second = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], bool).T
    return np.repeat(first, counts), np.repeat(second, counts)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("subjects", [None, 6])
def test_a_model_differs_from_itself_by_nothing(metric, subjects):
    truth, shares = makers.guesses(0, 40, 3)
    groups = None if subjects is None else np.array([f"s{i % subjects}" for i in range(40)])
    found = paired_difference(metric, truth, shares, shares, groups)
    assert found.value == 0
    # Of 40 other faces some might be read otherwise; of what is no share nothing is known.
    of_none = 3.8415 / (40 + 3.8415) if metric is accuracy else np.nan  # Wilson's of 0 in 40
    assert (found.low, found.high) == pytest.approx((-of_none, of_none), abs=1e-4, nan_ok=True)


def test_a_model_that_is_better_on_each_of_few_faces_is_not_surely_so():
    truth = np.zeros(5, int)
    models = deciding(np.zeros(5, bool)), deciding(np.ones(5, bool))
    found = paired_difference(accuracy, truth, *models)
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.5655, abs=1e-4)  # Wilson's of 5 in 5
    worse = paired_difference(accuracy, truth, *models[::-1])
    assert (worse.low, worse.high) == pytest.approx((-1, -found.low))


def test_holms_correction_of_cases_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9, 0.001]) == pytest.approx([1.0, 1.0, 0.003])
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_the_other_way_round_the_difference_has_the_other_sign():
    truth, first = makers.guesses(1, 60, 4)
    _, second = makers.guesses(2, 60, 4)
    found = paired_difference(accuracy, truth, first, second, seed=3)
    back = paired_difference(accuracy, truth, second, first, seed=3)
    assert found.value == accuracy(truth, second) - accuracy(truth, first)
    assert (back.value, back.low, back.high) == pytest.approx(
        (-found.value, -found.high, -found.low)
    )
    assert found.low <= found.value <= found.high
    assert found == paired_difference(accuracy, truth, first, second, seed=3)
    assert found != paired_difference(accuracy, truth, first, second, seed=4)


def test_the_interval_of_an_accuracy_covers_what_theory_does():
    # 40 faces only the second gets right, 20 only the first, of 400.
    first, second = outcomes(240, 20, 40, 100)
    found = paired_difference(accuracy, np.zeros(400, int), deciding(first), deciding(second))
    half = 1.96 * np.sqrt(40 + 20 - 20**2 / 400) / 400
    assert found.value == pytest.approx(0.05)
    assert (found.low, found.high) == pytest.approx((0.05 - half, 0.05 + half), abs=0.006)


def test_pairs_tell_more_than_two_intervals():
    # The models share their mistakes but for eight faces, which an interval of each cannot know.
    first, second = outcomes(150, 0, 8, 42)
    truth = np.zeros(200, int)
    found = paired_difference(accuracy, truth, deciding(first), deciding(second))
    alone = [interval(accuracy, truth, deciding(model)) for model in (first, second)]
    unpaired = np.hypot(*(high - low for low, high in alone))
    assert found.low > 0
    assert found.high - found.low < unpaired / 2


def test_subjects_that_differ_as_a_whole_widen_the_interval():
    subjects = np.repeat([f"s{i:02}" for i in range(20)], 10)
    second_is_right = np.repeat(np.arange(20) < 12, 10)
    models = deciding(~second_is_right), deciding(second_is_right)
    faces = paired_difference(accuracy, np.zeros(200, int), *models)
    whole = paired_difference(accuracy, np.zeros(200, int), *models, subjects)
    assert whole.value == faces.value == pytest.approx(0.2)
    # As 20 drawn subjects, not 200 faces: wider by the root of ten.
    assert (whole.high - whole.low) / (faces.high - faces.low) == pytest.approx(10**0.5, rel=0.15)
    assert whole.low < 0 < faces.low


@settings(max_examples=80)
@given(*[st.integers(0, 40)] * 4)
def test_mcnemar_agrees_with_the_binomial_by_hand(both, first_only, second_only, neither):
    found = mcnemar(*outcomes(both, first_only, second_only, neither))
    differ, fewer = first_only + second_only, min(first_only, second_only)
    tail = sum(comb(differ, k) for k in range(fewer + 1)) / 2**differ
    assert (found.first_only, found.second_only) == (first_only, second_only)
    assert found.p == pytest.approx(min(1, 2 * tail))
    assert found.p == pytest.approx(min(1, 2 * binom.cdf(fewer, differ, 0.5)))


@given(*[st.integers(0, 40)] * 4)
def test_mcnemar_looks_at_the_faces_that_differ_only(both, first_only, second_only, neither):
    found = mcnemar(*outcomes(both, first_only, second_only, neither))
    assert found == mcnemar(*outcomes(0, first_only, second_only, 0))
    assert found.p == pytest.approx(mcnemar(*outcomes(0, second_only, first_only, 0)).p)


def test_mcnemar_of_hand_computed_cases():
    # Ten tosses of a coin with at most one head, or at most one tail: 2 * (1 + 10) / 1024.
    assert mcnemar(*outcomes(50, 1, 9, 7)) == McNemar(1, 9, pytest.approx(22 / 1024))
    assert mcnemar(*outcomes(0, 0, 5, 0)).p == pytest.approx(2 / 32)
    assert mcnemar(*outcomes(3, 4, 4, 3)).p == 1
    assert mcnemar(*outcomes(10, 0, 0, 3)) == McNemar(0, 0, 1.0)


def test_subjects_that_all_differ_by_the_same_leave_the_faces_to_draw():
    first, second = outcomes(14, 0, 2, 4)  # ten faces of each of two people, one better of each
    order = np.argsort(np.tile([0, 1], 10), kind="stable")
    people = np.repeat(["a", "b"], 10)
    models = deciding(first[order]), deciding(second[order])
    truth = np.zeros(20, int)
    found = paired_difference(accuracy, truth, *models, people)
    assert found.value == pytest.approx(0.1)
    assert found == paired_difference(accuracy, truth, *models)
    assert found.low < 0.05 < 0.15 < found.high


@pytest.mark.parametrize(("people", "least"), [(2, 0.85), (5, 0.88), (20, 0.9)])
def test_intervals_of_few_people_hold_0_where_two_models_are_equally_good(people, least):
    generator = np.random.default_rng(people)
    truth, subjects = np.zeros(people * 10, int), np.repeat(np.arange(people).astype(str), 10)
    held = []
    for _ in range(100):
        better = np.repeat(generator.random(people), 10)  # who is read better differs by person
        models = [deciding(generator.random(len(truth)) < p) for p in (better, 1 - better)]
        found = paired_difference(accuracy, truth, *models, subjects)
        held.append(found.low <= 0 <= found.high)
    assert np.mean(held) >= least
