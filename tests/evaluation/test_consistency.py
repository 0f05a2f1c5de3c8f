import numpy as np
import pytest

from mien.evaluation.consistency import consistency
from mien.evaluation.metrics import expected_calibration_error


def test_of_equal_confidences_it_is_the_mean_deviation_of_a_share():
    # One bin: the error is |hits / N - .8|, whose mean is about sqrt(2 / pi) standard deviations.
    found = consistency(np.tile([0.8, 0.1, 0.1], (400, 1)))
    deviation = np.sqrt(0.8 * 0.2 / 400)
    assert found.mean == pytest.approx(np.sqrt(2 / np.pi) * deviation, rel=0.15)
    assert found.high == pytest.approx(2.24 * deviation, rel=0.15)


def test_a_calibrated_model_stays_within_and_a_boastful_one_does_not():
    random = np.random.default_rng(1)
    shares = random.dirichlet([0.4] * 5, 3000)
    truth = (shares.cumsum(1) < random.random((3000, 1))).sum(1)
    assert expected_calibration_error(truth, shares) < consistency(shares).high
    boastful = shares**3 / (shares**3).sum(1, keepdims=True)
    assert expected_calibration_error(truth, boastful) > 3 * consistency(boastful).high


def test_who_is_always_sure_and_calibrated_makes_no_error():
    assert consistency(np.eye(3)) == consistency(np.eye(3), seed=1)
    assert consistency(np.eye(3)).high == 0
