import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

import makers
from mien.evaluation.bootstrap import interval
from mien.evaluation.calibration import fit_temperature, probabilities
from mien.evaluation.counts import averages
from mien.evaluation.metrics import (
    ECE_BINS,
    METRICS,
    accuracy,
    balanced_accuracy,
    brier,
    confusion,
    expected_calibration_error,
    kappa,
    macro_f1,
    negative_log_likelihood,
    reliability,
    top2_accuracy,
    weighted_f1,
)

# Of every metric the least and the largest value it can have.
RANGES = {
    accuracy: (0, 1),
    balanced_accuracy: (0, 1),
    brier: (0, 2),
    expected_calibration_error: (0, 1),
    kappa: (-1, 1),
    macro_f1: (0, 1),
    negative_log_likelihood: (0, np.inf),
    top2_accuracy: (0, 1),
    weighted_f1: (0, 1),
}
CASES = st.builds(makers.guesses, st.integers(0, 10_000), st.integers(2, 80), st.integers(2, 8))
TIED = st.builds(
    makers.guesses, st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 6), st.just(3)
)


@settings(max_examples=60)
@given(CASES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_metrics_agree_with_scikit_learn(case):
    truth, shares = case
    classes = shares.shape[1]
    decision = shares.argmax(1)
    every = list(range(classes))
    assert accuracy(truth, shares) == pytest.approx(oracle.accuracy_score(truth, decision))
    np.testing.assert_array_equal(
        confusion(truth, shares), oracle.confusion_matrix(truth, decision, labels=every)
    )
    assert balanced_accuracy(truth, shares) == pytest.approx(
        oracle.balanced_accuracy_score(truth, decision)
    )
    assert macro_f1(truth, shares) == pytest.approx(
        oracle.f1_score(truth, decision, average="macro", labels=np.unique(truth))
    )
    assert negative_log_likelihood(truth, shares) == pytest.approx(
        oracle.log_loss(truth, shares, labels=every), rel=1e-6
    )
    assert weighted_f1(truth, shares) == pytest.approx(
        oracle.f1_score(truth, decision, average="weighted")
    )
    assert kappa(truth, shares) == pytest.approx(
        oracle.cohen_kappa_score(truth, decision, labels=every), nan_ok=True
    )
    if classes > 2:  # of two, two guesses hold the right one, and scikit-learn wants one column
        assert top2_accuracy(truth, shares) == pytest.approx(
            oracle.top_k_accuracy_score(truth, shares, k=2, labels=every)
        )


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_the_brier_score_is_the_sum_of_scikit_learns_one_against_the_rest(seed, classes):
    truth, shares = makers.guesses(seed, 40, classes)
    truth[:classes] = np.arange(classes)
    expected = sum(oracle.brier_score_loss(truth == c, shares[:, c]) for c in range(classes))
    assert brier(truth, shares) == pytest.approx(expected)


@given(TIED)
def test_the_brier_score_is_the_squared_distance_from_one_hot(case):
    truth, shares = case
    distances = ((shares - np.eye(shares.shape[1])[truth]) ** 2).sum(1)
    assert brier(truth, shares) == pytest.approx(distances.mean(), abs=1e-12)


@pytest.mark.parametrize("metric", RANGES, ids=lambda metric: metric.__name__)
@settings(max_examples=40)
@given(case=CASES | TIED, seed=st.integers(0, 100))
def test_the_order_of_faces_does_not_matter_and_values_are_in_range(metric, case, seed):
    truth, shares = case
    order = np.random.default_rng(seed).permutation(len(truth))
    value = metric(truth, shares)
    assert metric(truth[order], shares[order]) == pytest.approx(value, nan_ok=True)
    low, high = RANGES[metric]
    assert low - 1e-12 <= value <= high + 1e-12 or (metric is kappa and np.isnan(value))


@pytest.mark.parametrize("metric", RANGES, ids=lambda metric: metric.__name__)
@settings(max_examples=40)
@given(case=CASES, seed=st.integers(0, 100))
def test_the_order_of_classes_does_not_matter(metric, case, seed):
    truth, shares = case
    order = np.random.default_rng(seed).permutation(shares.shape[1])
    found = metric(np.argsort(order)[truth], shares[:, order])
    assert found == pytest.approx(metric(truth, shares), nan_ok=True)


def test_every_headline_metric_has_a_range():
    assert set(METRICS.values()) <= set(RANGES)


@given(TIED)
def test_metrics_agree_with_the_counts_of_their_confusion_matrix(case):
    truth, shares = case
    counts = confusion(truth, shares)
    assert counts.sum() == len(truth)
    assert accuracy(truth, shares) == pytest.approx(counts.trace() / len(truth))
    found = averages(counts)
    assert macro_f1(truth, shares) == pytest.approx(found["macro"]["f1"])
    assert balanced_accuracy(truth, shares) == pytest.approx(found["macro"]["recall"])
    assert accuracy(truth, shares) == pytest.approx(found["weighted"]["recall"])


def test_values_of_a_perfect_and_of_an_always_wrong_model():
    truth = np.array([0, 1, 2, 2])
    perfect = {metric: metric(truth, np.eye(3)[truth]) for metric in RANGES}
    lossless = (brier, expected_calibration_error, negative_log_likelihood)
    assert perfect == {metric: 0 if metric in lossless else 1 for metric in RANGES}
    assert not np.signbit(perfect[negative_log_likelihood])  # which would print as -0.000
    assert negative_log_likelihood(truth, np.eye(3)[truth] * (1 + 1e-15)) == 0
    wrong = np.eye(3)[(truth + 1) % 3]
    assert brier(truth, wrong) == 2
    assert expected_calibration_error(truth, wrong) == 1
    assert accuracy(truth, wrong) == balanced_accuracy(truth, wrong) == macro_f1(truth, wrong) == 0


def test_top2_accuracy_of_a_hand_computed_case():
    shares = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    assert top2_accuracy(np.array([0, 1, 2, 2]), shares) == 0.75


@given(TIED)
def test_two_guesses_are_two_where_probabilities_are_equal(case):
    """Of equal ones the first count, as for the decision; else bare decisions were always right."""
    truth, shares = case
    guessed = [sorted(range(len(row)), key=lambda c: -row[c])[:2] for row in shares.tolist()]
    right = [answer in two for answer, two in zip(truth.tolist(), guessed, strict=True)]
    assert top2_accuracy(truth, shares) == pytest.approx(np.mean(right))
    assert top2_accuracy(truth, shares) >= accuracy(truth, shares)


def test_two_guesses_of_who_says_nothing_are_the_first_two_classes():
    assert top2_accuracy(np.arange(8), np.full((8, 8), 1 / 8)) == 2 / 8


def test_the_log_of_a_right_class_held_impossible_is_finite():
    assert negative_log_likelihood(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(
        -np.log(np.finfo(np.float64).eps)
    )


@settings(max_examples=60)
@given(CASES)
def test_reliability_is_that_of_each_bin_on_its_own(case):
    truth, shares = case
    count, confident, accurate = reliability(truth, shares)
    sure, hits = shares.max(1), shares.argmax(1) == truth
    for b in range(ECE_BINS):
        inside = (sure > b / ECE_BINS) & (sure <= (b + 1) / ECE_BINS)
        assert count[b] == inside.sum()
        if inside.any():
            assert confident[b] == pytest.approx(sure[inside].mean())
            assert accurate[b] == pytest.approx(hits[inside].mean())
    assert count.sum() == len(truth)
    # Bins can hide no part of the distance between mean confidence and accuracy.
    error = expected_calibration_error(truth, shares)
    assert error >= abs(sure.mean() - hits.mean()) - 1e-12


def test_calibration_error_of_a_hand_computed_case():
    # Two faces in the bin (0.733, 0.8]: confidence 0.775, accuracy 0.5; one in (0.533, 0.6] right.
    shares = np.array([[0.75, 0.25], [0.8, 0.2], [0.4, 0.6]])
    truth = np.array([0, 1, 1])
    assert expected_calibration_error(truth, shares) == pytest.approx((2 * 0.275 + 0.4) / 3)
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert expected_calibration_error(np.array([0, 1]), sure) == 0


def test_the_interval_covers_what_the_binomial_does():
    truth = np.zeros(400, np.int64)
    shares = np.where(np.arange(400)[:, None] < 300, [[0.9, 0.1]], [[0.1, 0.9]])
    low, high = interval(accuracy, truth, shares)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.006)
    assert interval(accuracy, truth, shares) == (low, high)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, (20_000, 5))
    shares = probabilities(logits, temperature)
    truth = np.array([generator.choice(5, p=row) for row in shares])
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.05)
    assert expected_calibration_error(truth, shares) < 0.015


def test_every_headline_metric_is_finite_where_a_class_never_occurs():
    truth, shares = np.array([0, 0, 1]), np.full((3, 4), 0.25)
    assert all(np.isfinite(metric(truth, shares)) for metric in METRICS.values())


def test_kappa_is_undefined_where_all_faces_are_and_are_called_the_same():
    shares = np.array([[0.9, 0.1], [0.8, 0.2]])
    truth = np.array([0, 0])
    assert np.isnan(kappa(truth, shares))
    assert accuracy(truth, shares) == balanced_accuracy(truth, shares) == 1
    assert kappa(truth, shares[:, ::-1]) == 0


@pytest.mark.parametrize("metric", RANGES, ids=lambda metric: metric.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_is_defined_without_a_face(metric):
    assert np.isnan(metric(np.zeros(0, np.int64), np.zeros((0, 3))))


@pytest.mark.parametrize("count", [50, 500])
def test_a_val_without_mistakes_does_not_make_every_answer_certain(count):
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 4, count)
    logits = generator.normal(0, 1, (count, 4)) + 6 * np.eye(4)[truth]
    assert (logits.argmax(1) == truth).all()
    temperature = fit_temperature(logits, truth)
    shares = probabilities(logits, temperature)
    # One face more, which may show anything, is what the doubt that is left amounts to.
    assert 1 / (20 * count) < (1 - shares.max(1)).mean() < 2 / count
