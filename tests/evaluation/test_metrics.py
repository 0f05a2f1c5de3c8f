import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from mien.evaluation.bootstrap import interval
from mien.evaluation.calibration import fit_temperature, probabilities
from mien.evaluation.metrics import (
    METRICS,
    accuracy,
    balanced_accuracy,
    confusion,
    expected_calibration_error,
    macro_f1,
    negative_log_likelihood,
)


def case(seed, faces, classes):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, faces)
    return truth, generator.dirichlet(np.ones(classes) * 0.5, faces)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 80), st.integers(2, 8))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_metrics_agree_with_scikit_learn(seed, faces, classes):
    truth, shares = case(seed, faces, classes)
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
        oracle.f1_score(truth, decision, average="macro")
    )
    assert negative_log_likelihood(truth, shares) == pytest.approx(
        oracle.log_loss(truth, shares, labels=every), rel=1e-6
    )


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
