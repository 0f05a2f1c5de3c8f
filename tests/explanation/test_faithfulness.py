import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.explanation.contributions import COUNT, MEMBERS, Contributions
from mien.explanation.explainer import BY_REGION, Explainer
from mien.explanation.faithfulness import (
    CELLS,
    STEPS,
    CellTest,
    Curve,
    cell_map,
    cell_means,
    region_faithfulness,
)
from mien.explanation.regions import REGIONS, areas, region_map
from mien.explanation.settings import Settings
from mien.explanation.summary import Estimate, trust

BLACK = np.zeros((48, 48), np.uint8)
WHITE = np.full((48, 48), 255, np.uint8)


@pytest.mark.parametrize(
    ("fractions", "values", "area"),
    [((0, 1), (1, 0), 0.5), ((0, 0.25, 1), (1, 0, 0), 0.125), ((0, 0.5, 1), (0.2, 0.2, 0.2), 0.2)],
)
def test_area_of_known_curves(fractions, values, area):
    assert Curve(np.array(fractions), np.array(values)).area == pytest.approx(area)


@given(st.integers(1, 200))
def test_cells_cover_a_crop_evenly(side):
    cells = cell_map(side)
    assert cells.shape == (side, side)
    sizes = np.bincount(cells.ravel())
    assert sizes.sum() == side**2
    if side >= CELLS:
        assert len(sizes) == CELLS**2
        assert sizes.min() >= (side // CELLS) ** 2


def test_cell_means_are_means():
    cells = cell_map(48)
    heatmap = np.random.default_rng(0).normal(size=(48, 48))
    blocks = heatmap.reshape(CELLS, 4, CELLS, 4).mean(axis=(1, 3))
    assert np.allclose(cell_means(heatmap, cells), blocks.ravel())


def test_the_right_heatmap_deletes_at_once_and_the_wrong_one_at_last(linear_output):
    """The model looks at one cell only, so both curves are known."""
    heatmap = (cell_map(48) == 77).astype(float)
    output = linear_output(heatmap / 8)
    whole, nothing = output.probability(np.stack([WHITE, BLACK]), 0)
    test = CellTest(output, WHITE, BLACK, 0, 0)
    first, last = 1 / STEPS / 2, 1 - 1 / STEPS / 2
    right, wrong = test(heatmap), test(-heatmap)
    assert right.deletion.area == pytest.approx(first * whole + last * nothing, abs=1e-6)
    assert right.insertion.area == pytest.approx(last * whole + first * nothing, abs=1e-6)
    assert wrong.deletion.area == pytest.approx(last * whole + first * nothing, abs=1e-6)
    assert right.random_deletion.area == wrong.random_deletion.area
    assert right.deletion.area < right.random_deletion.area < wrong.deletion.area
    assert wrong.insertion.area < right.random_insertion.area < right.insertion.area


def test_nothing_beats_chance_on_a_model_that_does_not_look(linear_output, crop):
    face = Explainer(linear_output(np.zeros((48, 48)))).study(crop)
    for one in face.faithfulness.values():
        for curve in (one.deletion, one.insertion, one.random_deletion, one.random_insertion):
            assert curve.area == pytest.approx(0.25)
    found = trust([face])
    assert [one.method for one in found] == ["occlusion", BY_REGION]
    assert found[0].deletion_better.value == 0


def test_chance_is_the_same_each_time(linear_output, crop):
    output = linear_output(np.random.default_rng(1).normal(size=(48, 48)) / 50)
    one, other = (CellTest(output, crop, BLACK, 0, 0)(crop.astype(float)) for _ in range(2))
    assert np.array_equal(one.random_deletion.probabilities, other.random_deletion.probabilities)


def test_the_only_region_that_counts_is_deleted_first():
    regions = region_map(48)
    mouth = REGIONS.index("mouth")
    found = region_faithfulness(Contributions(regions, 1.0 - MEMBERS[:, mouth]), 0)
    share = areas(regions)[mouth]
    # The fall ends between two places where the curve is read.
    assert found.deletion.area == pytest.approx(share / 2, abs=0.011)
    assert found.insertion.area == pytest.approx(1 - share / 2, abs=0.011)
    assert found.deletion.area < found.random_deletion.area < 1
    assert found.random_deletion.area == pytest.approx(0.5, abs=0.06)


@given(st.integers(0, 2**32 - 1))
def test_what_is_deleted_is_not_inserted(seed):
    """Both ends of each curve are the whole face and the empty one."""
    values = np.random.default_rng(seed).random(2**COUNT)
    found = region_faithfulness(Contributions(region_map(48), values), 0)
    for curve in (found.deletion, found.random_deletion):
        assert curve.probabilities[[0, -1]] == pytest.approx(values[[0, -1]])
    for curve in (found.insertion, found.random_insertion):
        assert curve.probabilities[[0, -1]] == pytest.approx(values[[-1, 0]])


def test_an_estimate_is_a_mean_within_its_interval():
    one = Estimate.of([0.123], None)
    assert one.value == pytest.approx(0.123)
    assert np.isnan([one.low, one.high]).all()
    found = Estimate.of([0, 1, 1, 1] * 50, None)
    assert found.value == 0.75
    assert 0.68 < found.low < 0.72
    assert 0.78 < found.high < 0.82


def test_each_face_has_random_orders_of_its_own(linear_output):
    """The model looks at one cell only, and the faces differ in another: only orders can differ."""
    explainer = Explainer(linear_output((cell_map(48) == 77) / 8), settings=Settings(fill="black"))
    other = WHITE.copy()
    other[0, 0] = 0
    one, two, again = (
        explainer.study(face).faithfulness["occlusion"].random_deletion.probabilities
        for face in (WHITE, other, WHITE)
    )
    assert np.array_equal(one, again)
    assert not np.allclose(one, two)


def test_faces_of_one_subject_count_together():
    people = np.repeat([f"s{n}" for n in range(40)], 10)
    hits = np.repeat(np.arange(40) % 4 > 0, 10)
    faces, whole = Estimate.of_share(hits, None), Estimate.of_share(hits, people)
    assert faces.value == whole.value == 0.75
    assert whole.high - whole.low > 2.5 * (faces.high - faces.low)
    means = Estimate.of(hits, people)
    assert (means.low, means.high) == pytest.approx((whole.low, whole.high))
