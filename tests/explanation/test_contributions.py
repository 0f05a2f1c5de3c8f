from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.explanation.contributions import COUNT, MEMBERS, Contributions, region_contributions
from mien.explanation.explainer import Explainer
from mien.explanation.fill import FILLS, filled
from mien.explanation.regions import REGIONS, region_map

REGION_MAP = region_map(48)
GAMES = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).random(2**COUNT))


def game(values):
    return Contributions(REGION_MAP, np.asarray(values))


@given(GAMES)
def test_contributions_sum_to_what_all_regions_are_worth_together(values):
    assert game(values).shapley.sum() == pytest.approx(values[0] - values[-1])


@given(st.lists(st.floats(-1, 1), min_size=COUNT, max_size=COUNT))
def test_regions_that_do_not_interact_contribute_what_they_are_worth_alone(worths):
    found = game(1 - MEMBERS @ np.array(worths))
    assert np.allclose(found.shapley, worths)
    assert np.allclose(found.alone, worths)


def test_contributions_are_means_over_all_orders():
    values = np.random.default_rng(3).random(2**COUNT)
    orders = np.array(list(permutations(range(COUNT))))
    gone = np.concatenate([np.zeros((len(orders), 1), int), np.cumsum(1 << orders, axis=1)], axis=1)
    drops = values[gone[:, :-1]] - values[gone[:, 1:]]
    sums = np.bincount(orders.ravel(), weights=drops.ravel())
    assert np.allclose(game(values).shapley, sums / len(orders))


def test_taking_away_in_an_order_ends_with_nothing():
    values = np.arange(2**COUNT) / 2**COUNT
    found = game(values).without(np.array([3, 0, 1, 2, 4, 5, 6, 7]))
    assert found[0] == values[0]
    assert found[1] == values[8]
    assert found[2] == values[9]
    assert found[-1] == values[-1]


def test_only_the_region_a_model_looks_at_contributes(linear_output, crop):
    mouth = REGIONS.index("mouth")
    output = linear_output(np.where(mouth == REGION_MAP, 0.02, 0.0))
    found = region_contributions(output, crop, filled(crop, "black"), REGION_MAP, 0)
    assert found.alone[mouth] == pytest.approx(output.probability(crop[None], 0)[0] - 0.25)
    assert found.shapley[mouth] == pytest.approx(found.alone[mouth])
    assert np.allclose(np.delete(found.shapley, mouth), 0, atol=1e-7)


def test_the_shares_of_a_constant_model_are_undefined(linear_output, crop):
    output = linear_output(np.zeros((48, 48)), bias=1.0)
    face = Explainer(output).study(crop)
    assert np.allclose(face.contributions.shapley, 0)
    assert face.explanations[0].shares(REGION_MAP) is None
    assert face.probability == pytest.approx(np.e / (np.e + 3))


@pytest.mark.parametrize("fill", FILLS)
def test_what_is_filled_keeps_the_light_or_is_black(crop, fill):
    found = filled(crop, fill)
    assert found.shape == crop.shape
    assert found.dtype == np.uint8
    assert found.std() < crop.std() / 3
    assert found.mean() == pytest.approx(0 if fill == "black" else crop.mean(), abs=3)
