from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import MienError
from mien.inference.video.smoothing import FAR, Causal, centred

STEPS = st.lists(st.floats(0.0, 0.4), min_size=1, max_size=40)


def random_rows(count, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(4), count)


@given(steps=STEPS, seconds=st.floats(0.02, 0.5), data=st.data())
def test_centred_is_the_weighted_mean_it_says_of_the_rows_that_count(steps, seconds, data):
    times, values = np.cumsum(steps), random_rows(len(steps))
    counted = np.array(data.draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps))))
    distance = times[:, None] - times[None]
    weights = np.exp(-0.5 * (distance / seconds) ** 2) * (abs(distance) <= FAR * seconds)
    weights *= counted
    found = centred(times, values, seconds, counted)
    expected = weights[counted] @ values / weights[counted].sum(axis=1, keepdims=True)
    assert found[counted] == pytest.approx(expected, abs=1e-9)
    assert np.array_equal(found[~counted], values[~counted])
    assert found.sum(axis=1) == pytest.approx(1)


@given(steps=STEPS)
def test_centred_knows_no_direction(steps):
    times, values = np.cumsum(steps), random_rows(len(steps))
    every = np.ones(len(times), bool)
    backwards = centred(times[-1] - times[::-1], values[::-1], 0.1, every)[::-1]
    assert centred(times, values, 0.1, every) == pytest.approx(backwards, abs=1e-9)


def test_causal_reaches_a_step_by_its_time_constant_whatever_the_frame_rate():
    for rate in (10, 30, 100):
        causal = Causal(0.5)
        causal(1, 0.0, (1.0, 0.0), counted=True)
        for number in range(1, rate // 2 + 1):
            found = causal(1, number / rate, (0.0, 1.0), counted=True)
        assert found == pytest.approx((np.exp(-1), 1 - np.exp(-1)))


def test_causal_does_not_mix_persons_and_forgets_who_left():
    causal = Causal(0.1)
    causal(1, 0.0, (1.0, 0.0), counted=True)
    assert causal(2, 0.01, (0.0, 1.0), counted=True) == (0.0, 1.0)
    causal(2, 5.0, (0.0, 1.0), counted=True)
    assert causal(1, 5.0, (0.5, 0.5), counted=True) == (0.5, 0.5)


def test_causal_holds_nothing_of_what_does_not_count():
    causal = Causal(0.5)
    causal(1, 0.0, (1.0, 0.0), counted=True)
    for number in range(1, 13):
        hand = causal(1, number / 25, (0.0, 1.0), counted=False)
        assert hand == (0.0, 1.0)
    found = causal(1, 0.5, (0.0, 1.0), counted=True)
    assert found == pytest.approx((np.exp(-1), 1 - np.exp(-1)))


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_no_time_is_refused(seconds):
    with pytest.raises(MienError, match="above 0"):
        centred(np.zeros(1), np.ones((1, 2)), seconds, np.ones(1, bool))
    with pytest.raises(MienError, match="above 0"):
        Causal(seconds)
