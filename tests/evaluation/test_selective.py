import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import makers
from mien.evaluation.metrics import accuracy
from mien.evaluation.selective import risk_coverage, threshold

CASES = st.builds(
    makers.guesses,
    st.integers(0, 10_000),
    st.integers(1, 50),
    st.integers(2, 5),
    st.sampled_from([None, 4]),
)


def answers(confidence, right):
    """Truth and probabilities of two classes: how sure each face is, and whether it is right."""
    confidence, right = np.asarray(confidence), np.asarray(right, bool)
    return np.where(right, 0, 1), np.stack([confidence, 1 - confidence], axis=1)


@settings(max_examples=60)
@given(CASES)
def test_each_risk_is_that_of_answering_from_its_confidence_on(case):
    truth, shares = case
    found = risk_coverage(truth, shares)
    sureness, wrong = shares.max(1), shares.argmax(1) != truth
    for k in range(len(truth)):
        assert found.confidence[k] == np.sort(sureness)[::-1][k]
        assert found.risk[k] == pytest.approx(wrong[sureness >= found.confidence[k]].mean())
    np.testing.assert_allclose(found.coverage, np.arange(1, len(truth) + 1) / len(truth))
    assert found.area == pytest.approx(found.risk.mean())


@given(CASES)
def test_answering_always_has_the_risk_of_all_mistakes(case):
    truth, shares = case
    found = risk_coverage(truth, shares)
    assert found.at(1) == pytest.approx(1 - accuracy(truth, shares))
    assert found.coverage[-1] == 1
    assert found.confidence[-1] == shares.max(1).min()


@settings(max_examples=100)
@given(CASES, st.floats(0.05, 1))
def test_the_threshold_keeps_its_promise_and_no_lower_one_does(case, kept):
    truth, shares = case
    sureness, wrong = shares.max(1), shares.argmax(1) != truth
    limit = threshold(risk_coverage(truth, shares), kept)
    allowed = kept * wrong.mean() + 1e-12
    answered = sureness >= limit
    assert np.isinf(limit) == (not answered.any())
    if answered.any():
        assert wrong[answered].mean() <= allowed
    for lower in sureness[~answered]:
        assert wrong[sureness >= lower].mean() > allowed - 2e-12


@given(CASES, st.integers(0, 100))
def test_the_order_of_faces_does_not_matter(case, seed):
    truth, shares = case
    order = np.random.default_rng(seed).permutation(len(truth))
    found, again = risk_coverage(truth, shares), risk_coverage(truth[order], shares[order])
    np.testing.assert_array_equal(found.risk, again.risk)
    assert found.area == again.area
    assert threshold(found) == threshold(again)


def test_a_hand_computed_case():
    truth, shares = answers([0.9, 0.6, 0.8, 0.7], [True, False, True, False])
    found = risk_coverage(truth, shares)
    np.testing.assert_allclose(found.risk, [0, 0, 1 / 3, 1 / 2])
    np.testing.assert_allclose(found.confidence, [0.9, 0.8, 0.7, 0.6])
    assert found.area == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert found.at(0.5) == 0
    assert found.at(0.51) == found.at(0.75) == pytest.approx(1 / 3)
    assert found.at(0) == 0
    # Half of the risk of answering always, 1/4, is kept with two answers; two thirds with three.
    assert threshold(found) == 0.8
    assert threshold(found, 2 / 3) == 0.7
    assert threshold(found, 1) == 0.6


def test_equally_sure_faces_are_answered_together():
    # Whichever of the three comes first, a threshold of 0.8 answers all of them: 1 of 4 is wrong.
    for right in ([True, True, False], [False, True, True], [True, False, True]):
        truth, shares = answers([0.9, 0.8, 0.8, 0.8, 0.6], [True, *right, False])
        found = risk_coverage(truth, shares)
        np.testing.assert_allclose(found.risk, [0, 1 / 4, 1 / 4, 1 / 4, 2 / 5])
        assert threshold(found, 0.7) == 0.8
        assert threshold(found, 0.6) == 0.9


def test_one_confidence_for_all_cannot_choose():
    truth, shares = answers([0.7] * 4, [True, False, False, True])
    found = risk_coverage(truth, shares)
    assert found.risk.tolist() == [0.5] * 4
    assert threshold(found) == float("inf")


def test_sure_mistakes_cost_area():
    confidence = np.linspace(0.9, 0.6, 6)
    right = np.array([True] * 4 + [False] * 2)
    best = risk_coverage(*answers(confidence, right))
    worst = risk_coverage(*answers(confidence, right[::-1]))
    assert best.area == pytest.approx((1 / 5 + 2 / 6) / 6)
    assert worst.area == pytest.approx((1 + 1 + 2 / 3 + 2 / 4 + 2 / 5 + 2 / 6) / 6)


def test_without_mistakes_all_are_answered_and_with_nothing_else_none():
    confidence = [0.9, 0.8, 0.7]
    assert threshold(risk_coverage(*answers(confidence, [True] * 3))) == 0
    assert threshold(risk_coverage(*answers(confidence, [False] * 3))) == float("inf")
