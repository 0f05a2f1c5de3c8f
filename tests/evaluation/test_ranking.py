import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

import makers
from mien.evaluation.metrics import macro_auc
from mien.evaluation.ranking import GRID, Curve, curves, macro, micro

CASES = st.builds(
    makers.guesses,
    st.integers(0, 10_000),
    st.integers(2, 60),
    st.integers(2, 6),
    st.sampled_from([None, 3]),
)
KINDS = ("roc", "precision-recall")
SCORES = {"roc": oracle.roc_auc_score, "precision-recall": oracle.average_precision_score}


def binary(scores):
    """Probabilities of two classes from the second's."""
    return np.stack([1 - np.asarray(scores), scores], axis=1)


@settings(max_examples=60)
@given(CASES)
def test_macro_auc_agrees_with_scikit_learn_where_it_is_defined(case):
    truth, shares = case
    areas = [
        oracle.roc_auc_score(truth == c, shares[:, c])
        for c in range(shares.shape[1])
        if 0 < (truth == c).sum() < len(truth)
    ]
    expected = np.mean(areas) if areas else np.nan
    assert macro_auc(truth, shares) == pytest.approx(expected, nan_ok=True)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(3, 6), st.sampled_from([None, 3]))
def test_macro_averages_agree_with_scikit_learns_one_against_the_rest(seed, classes, steps):
    truth, shares = makers.guesses(seed, 40, classes, steps)
    truth[:classes] = np.arange(classes)
    expected = oracle.roc_auc_score(truth, shares, multi_class="ovr", average="macro")
    assert macro_auc(truth, shares) == pytest.approx(expected)
    assert macro(curves(truth, shares, "roc")).area == pytest.approx(expected)
    hits = np.eye(classes)[truth]
    found = macro(curves(truth, shares, "precision-recall"))
    assert found.area == pytest.approx(oracle.average_precision_score(hits, shares))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(case=CASES)
def test_each_class_and_all_together_agree_with_scikit_learn(kind, case):
    truth, shares = case
    hits = truth[:, None] == np.arange(shares.shape[1])
    for c, curve in curves(truth, shares, kind).items():
        assert curve.area == pytest.approx(SCORES[kind](hits[:, c], shares[:, c]))
    expected = SCORES[kind](hits, shares, average="micro")
    assert micro(truth, shares, kind).area == pytest.approx(expected)


@settings(max_examples=40)
@given(CASES)
def test_the_area_is_that_of_the_drawn_curve(case):
    truth, shares = case
    for curve in [*curves(truth, shares, "roc").values(), micro(truth, shares, "roc")]:
        assert oracle.auc(curve.x, curve.y) == pytest.approx(curve.area)
        assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
        assert (np.diff(curve.y) >= 0).all()
    for c, curve in curves(truth, shares, "precision-recall").items():
        # Not interpolated: each step of recall counts with the precision at its end.
        assert (np.diff(curve.x) * curve.y[1:]).sum() == pytest.approx(curve.area)
        assert (curve.x[0], curve.x[-1]) == (0, 1)
        assert curve.y[-1] == pytest.approx((truth == c).mean()), "all faces are taken for it"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(case=CASES, seed=st.integers(0, 100))
def test_the_order_of_faces_does_not_matter(kind, case, seed):
    truth, shares = case
    order = np.random.default_rng(seed).permutation(len(truth))
    again = curves(truth[order], shares[order], kind)
    for c, curve in curves(truth, shares, kind).items():
        np.testing.assert_allclose(again[c].x, curve.x)
        np.testing.assert_allclose(again[c].y, curve.y)
        assert again[c].area == pytest.approx(curve.area)
        assert (np.diff(curve.x) >= 0).all()
        assert 0 <= curve.area <= 1
    assert macro_auc(truth[order], shares[order]) == pytest.approx(
        macro_auc(truth, shares), nan_ok=True
    )


@settings(max_examples=40)
@given(CASES)
def test_only_the_order_of_the_probabilities_counts(case):
    truth, shares = case
    assert macro_auc(truth, shares**3) == pytest.approx(macro_auc(truth, shares), nan_ok=True)
    backwards = 1 - macro_auc(truth, -shares)
    assert macro_auc(truth, shares) == pytest.approx(backwards, nan_ok=True)


def test_areas_of_a_hand_computed_case():
    # Of the four pairs of a hit and another, three are in order: .8 > .1, .8 > .4, .35 > .1.
    truth, shares = np.array([0, 0, 1, 1]), binary([0.1, 0.4, 0.35, 0.8])
    assert macro_auc(truth, shares) == pytest.approx(3 / 4)
    # The first hit is the first of one, the second the second of three.
    found = curves(truth, shares, "precision-recall")[1]
    assert found.area == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)


def test_equal_probabilities_count_half():
    truth = np.array([0, 1, 0, 1, 1])
    # Of six pairs: four in order (.9 above both), two equal.
    shares = binary([0.5, 0.5, 0.1, 0.9, 0.1])
    pairs = (0.5 + 1 + 1 + 1 + 0 + 0.5) / 6
    assert macro_auc(truth, shares) == pytest.approx(pairs)
    same = np.full((5, 2), 0.5)
    assert macro_auc(truth, same) == 0.5
    assert curves(truth, same, "precision-recall")[1].area == pytest.approx(3 / 5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_order_fills_the_square(kind):
    truth = np.array([0, 1, 2, 0, 1, 2])
    shares = np.eye(3)[truth] * 0.7 + 0.1
    found = curves(truth, shares, kind)
    assert [curve.area for curve in found.values()] == [1, 1, 1]
    together = macro(found)
    assert together.area == micro(truth, shares, kind).area == 1
    assert (together.y[:-1] == 1).all()
    assert macro_auc(truth, shares) == 1


def test_the_macro_curve_is_the_mean_at_each_x():
    straight = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.5)
    bent = Curve(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]), 0.75)
    found = macro({0: straight, 4: bent})
    np.testing.assert_array_equal(found.x, GRID)
    np.testing.assert_allclose(found.y, (GRID + np.minimum(2 * GRID, 1)) / 2)
    assert found.area == pytest.approx(0.625)
    np.testing.assert_allclose(macro({2: straight}).y, GRID)


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_without_a_face_is_left_out(kind):
    truth = np.array([0, 2, 0, 2, 2])
    shares = np.random.default_rng(0).dirichlet(np.ones(4), 5)
    found = curves(truth, shares, kind)
    assert list(found) == [0, 2]
    assert macro(found).area == pytest.approx((found[0].area + found[2].area) / 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_class_has_no_curve_and_no_area(kind):
    truth, shares = np.array([1, 1, 1]), binary([0.2, 0.6, 0.9])
    assert curves(truth, shares, kind) == {}
    assert macro({}) is None
    assert np.isnan(macro_auc(truth, shares))


def test_nothing_is_defined_without_a_face():
    truth, shares = np.zeros(0, np.int64), np.zeros((0, 3))
    assert curves(truth, shares, "roc") == {}
    assert np.isnan(macro_auc(truth, shares))


def test_precision_is_drawn_in_the_steps_that_its_area_counts():
    truth, shares = np.array([0, 0, 1, 1]), binary([0.1, 0.4, 0.35, 0.8])
    found = curves(truth, shares, "precision-recall")[1]
    # Up to half of the hits precision is 1, then 2 of 3: no line goes from one to the other.
    np.testing.assert_allclose(
        found.at(np.array([0.0, 0.25, 0.5, 0.51, 1.0])), [1, 1, 1, 2 / 3, 2 / 3]
    )


def test_the_macro_precision_has_the_area_of_its_steps():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, 200)
    shares = np.eye(3)[generator.integers(0, 3, 200)]  # hard labels, where lines would add most
    found = macro(curves(truth, shares, "precision-recall"))
    assert found.y.mean() == pytest.approx(found.area, abs=0.02)
