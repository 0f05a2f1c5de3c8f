import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy
from sklearn.metrics import log_loss

from mien.data.dataset import NO_TARGET
from mien.evaluation.human_raters import (
    cross_entropy,
    divergence,
    plurality_accuracy,
    rater_accuracy,
    rater_against_others,
    shares,
)
from mien.labels import LABEL_SETS, VOTES

EIGHT, SEVEN, FOUR = (LABEL_SETS[name] for name in ("ferplus8", "basic7", "four"))
TABLES = arrays(np.uint8, st.tuples(st.integers(1, 6), st.just(10)), elements=st.integers(0, 4))


def votes(*faces):
    """A vote table from what each face was called how often."""
    table = [[face.get(vote, 0) for vote in VOTES] for face in faces]
    return np.array(table, np.uint8).reshape(-1, len(VOTES))


def sure(labels, *expressions, left=0.1):
    """Probabilities that decide for an expression for each face."""
    chosen = np.eye(len(labels))[[labels.index(expression) for expression in expressions]]
    return chosen * (1 - left) + (1 - chosen) * left / (len(labels) - 1)


def said(table, labels, seed):
    return np.random.default_rng(seed).dirichlet(np.ones(len(labels)), len(table))


def majority_by_hand(counts):
    """FER+'s majority of one face in plain Python: single votes dropped, more than half of all."""
    kept = [count if count > 1 else 0 for count in counts]
    winners = [vote for vote in range(8) if 2 * kept[vote] > sum(kept)]
    return winners[0] if winners else None


def test_shares_are_of_the_votes_for_the_label_sets_expressions():
    table = votes({"happiness": 6, "contempt": 2, "neutral": 1, "unknown": 1}, {"fear": 10})
    assert shares(table, EIGHT)[0, EIGHT.index("happiness")] == pytest.approx(6 / 9)
    assert shares(table, SEVEN)[0, SEVEN.index("happiness")] == pytest.approx(6 / 7)
    np.testing.assert_allclose(shares(table, FOUR)[0], [0, 6 / 7, 1 / 7, 0])
    assert np.isnan(shares(table, FOUR)[1]).all(), "nobody named one of the four"


@given(TABLES, st.sampled_from([EIGHT, SEVEN, FOUR]))
def test_shares_sum_to_one_or_are_undefined(table, labels):
    named = table[:, labels.positions_in(EIGHT)].sum(1) > 0
    found = shares(table, labels)
    np.testing.assert_allclose(found[named].sum(1), 1)
    assert np.isnan(found[~named]).all()


def test_a_shared_first_place_counts_in_part():
    table = votes(
        {"happiness": 6, "neutral": 4},  # decided happiness: right
        {"happiness": 6, "neutral": 4},  # decided neutral: wrong
        {"sadness": 4, "neutral": 4, "unknown": 2},  # decided sadness: one of two
        {"anger": 3, "fear": 3, "disgust": 3, "unknown": 1},  # decided fear: one of three
        {"unknown": 6, "not_a_face": 4},  # nobody named an expression: does not count
    )
    decided = sure(EIGHT, "happiness", "neutral", "sadness", "fear", "anger")
    found = plurality_accuracy(table, EIGHT, decided)
    assert found == pytest.approx((1 + 0 + 1 / 2 + 1 / 3) / 4)


@given(TABLES, st.integers(0, 100))
def test_plurality_accuracy_is_a_plain_share_without_ties(table, seed):
    probabilities = said(table, EIGHT, seed)
    faces = table[:, :8].astype(int)
    first = np.sort(faces, axis=1)
    unique = first[:, -1] > first[:, -2]
    expected = np.nan
    if unique.any():
        expected = (faces.argmax(1) == probabilities.argmax(1))[unique].mean()
    found = plurality_accuracy(table[unique], EIGHT, probabilities[unique])
    assert found == pytest.approx(expected, nan_ok=True)


@given(TABLES, st.integers(0, 100), st.sampled_from([EIGHT, SEVEN, FOUR]))
def test_divergence_and_cross_entropy_agree_with_scipy(table, seed, labels):
    probabilities = said(table, labels, seed)
    wanted = shares(table, labels)
    known = ~np.isnan(wanted[:, 0])
    distances = [entropy(p, q) for p, q in zip(wanted[known], probabilities[known], strict=True)]
    expected = np.mean(distances) if known.any() else np.nan
    assert divergence(table, labels, probabilities) == pytest.approx(expected, nan_ok=True)
    expected += np.mean([entropy(p) for p in wanted[known]]) if known.any() else np.nan
    assert cross_entropy(table, labels, probabilities) == pytest.approx(expected, nan_ok=True)


@given(TABLES.filter(lambda table: table[:, :8].any()), st.integers(0, 100))
def test_divergence_is_never_negative_and_none_from_the_raters_own_shares(table, seed):
    named = table[table[:, :8].any(1)]
    assert divergence(named, EIGHT, shares(named, EIGHT)) == pytest.approx(0, abs=1e-12)
    assert divergence(named, EIGHT, said(named, EIGHT, seed)) >= -1e-12


def test_cross_entropy_of_raters_who_agree_is_the_log_loss():
    named = ["anger", "fear", "surprise", "contempt"]
    table = votes(*({expression: 10} for expression in named))
    probabilities = said(table, EIGHT, 0)
    truth = [EIGHT.index(expression) for expression in named]
    expected = log_loss(truth, probabilities, labels=range(8))
    assert cross_entropy(table, EIGHT, probabilities) == pytest.approx(expected)
    assert divergence(table, EIGHT, probabilities) == pytest.approx(expected)


def test_cross_entropy_of_a_hand_computed_case():
    table = votes({"happiness": 3, "neutral": 1}, {"unknown": 10})
    probabilities = np.array([[0.1, 0.5, 0.25, 0.15], [0.25, 0.25, 0.25, 0.25]])
    expected = -(0.75 * np.log(0.5) + 0.25 * np.log(0.25))
    assert cross_entropy(table, FOUR, probabilities) == pytest.approx(expected)


def test_what_a_single_rater_reaches_against_another_truth():
    table = votes(
        {"happiness": 7, "neutral": 2, "unknown": 1},
        {"sadness": 3, "contempt": 5, "not_a_face": 2},
        {"anger": 10},  # without truth
        {},  # without votes
    )
    truth = np.array([SEVEN.index("happiness"), SEVEN.index("sadness"), NO_TARGET, 0])
    assert rater_accuracy(table, truth, SEVEN) == pytest.approx((0.7 + 0.3) / 2)
    assert np.isnan(rater_accuracy(table[2:], truth[2:], SEVEN))


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        ({"happiness": 10}, 1.0),
        ({"happiness": 6, "neutral": 4}, 0.6),  # 5 to 4 and 6 to 3: happiness for every rater
        ({"happiness": 5, "neutral": 5}, 0.0),  # whoever is left out is outvoted 5 to 4
        ({"happiness": 8, "neutral": 2}, 0.8),
        ({"happiness": 7, "neutral": 2, "unknown": 1}, 0.7),  # to say "unknown" is wrong
        # Left out of happiness: 2 of 5 and no majority. Of "unknown": 3 of 5, happiness.
        ({"happiness": 3, "unknown": 3}, 0.0),
        ({"happiness": 2}, np.nan),  # one vote is left, dropped as noise: not judged
        ({"not_a_face": 10}, np.nan),
        ({}, np.nan),
    ],
)
def test_a_rater_against_the_majority_of_the_others(face, expected):
    assert rater_against_others(votes(face)) == pytest.approx(expected, nan_ok=True)


def test_raters_count_each_not_faces():
    # 10 of 10 are with the others, and 3 of 4.
    faces = votes({"happiness": 10}, {"sadness": 3, "neutral": 1})
    assert majority_by_hand([0, 0, 0, 0, 0, 1, 2, 0, 0, 0]) == VOTES.index("sadness")
    assert rater_against_others(faces) == pytest.approx((10 + 3) / (10 + 4))


@settings(max_examples=80)
@given(TABLES)
def test_raters_left_out_one_by_one(table):
    before = table.copy()
    right = judged = 0
    for face in table.tolist():
        for vote in (vote for vote, count in enumerate(face) for _ in range(count)):
            others = majority_by_hand([count - (i == vote) for i, count in enumerate(face)])
            judged += others is not None
            right += others == vote
    expected = right / judged if judged else np.nan
    assert rater_against_others(table) == pytest.approx(expected, nan_ok=True)
    np.testing.assert_array_equal(table, before)


def test_without_a_vote_nothing_is_defined():
    table = votes({"unknown": 10}, {"not_a_face": 10})
    probabilities = sure(EIGHT, "anger", "fear")
    for function in (plurality_accuracy, cross_entropy, divergence):
        assert np.isnan(function(table, EIGHT, probabilities))
        assert np.isnan(function(table[:0], EIGHT, probabilities[:0]))
    assert np.isnan(rater_against_others(table[:0]))
    assert np.isnan(rater_accuracy(table[:0], np.zeros(0, np.int64), EIGHT))


@given(TABLES, st.integers(0, 100))
def test_the_order_of_faces_does_not_matter(table, seed):
    order = np.random.default_rng(seed).permutation(len(table))
    probabilities = said(table, EIGHT, seed)
    for function in (plurality_accuracy, cross_entropy, divergence):
        expected = function(table, EIGHT, probabilities)
        found = function(table[order], EIGHT, probabilities[order])
        assert found == pytest.approx(expected, nan_ok=True)
    assert rater_against_others(table[order]) == pytest.approx(
        rater_against_others(table), nan_ok=True
    )
