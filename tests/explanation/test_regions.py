import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.explanation.landmarks import CANONICAL, find_landmarks, in_crop, median_landmarks
from mien.explanation.regions import OUTSIDE, REGIONS, areas, region_map
from mien.inference.detectors import DETECTORS
from mien.preprocess import Square

SIDES = st.integers(8, 160)
MOVES = st.tuples(
    st.floats(0.7, 1.2), st.floats(-25, 25), st.floats(-0.15, 0.15), st.floats(-0.15, 0.15)
)
EYES, NOSE, MOUTH = ((0, 1), (2,), (3, 4))


def moved(scale, degrees, x, y):
    """The canonical landmarks turned and scaled around the middle of the crop, then shifted."""
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (CANONICAL - 0.5) @ turn.T + 0.5 + (x, y)


@given(SIDES)
def test_every_pixel_belongs_to_one_region_and_mirrored_to_the_same(side):
    regions = region_map(side)
    assert regions.shape == (side, side)
    assert ((regions >= 0) & (regions < len(REGIONS))).all()
    assert np.array_equal(regions, regions[:, ::-1])
    assert areas(regions).sum() == pytest.approx(1)


@given(SIDES, MOVES)
def test_regions_stay_a_partition_wherever_the_landmarks_are(side, move):
    regions = region_map(side, moved(*move))
    masks = [regions == region for region in range(len(REGIONS))]
    assert (np.sum(masks, axis=0) == 1).all()


@given(MOVES)
def test_landmarks_lie_in_the_regions_they_are_named_after(move):
    landmarks = moved(*move)
    regions = region_map(160, landmarks)
    inside = ((landmarks > 0) & (landmarks < 1)).all(axis=1)
    for points, region in ((EYES, "eyes"), (NOSE, "nose"), (MOUTH, "mouth")):
        for point in points:
            x, y = (landmarks[point] * 160).astype(int)
            assert not inside[point] or REGIONS[regions[y, x]] == region


@given(MOVES)
def test_a_mirrored_face_has_mirrored_regions(move):
    landmarks = moved(*move)
    mirrored = np.column_stack([1 - landmarks[:, 0], landmarks[:, 1]])[[1, 0, 2, 4, 3]]
    differ = region_map(64, landmarks) != region_map(64, mirrored)[:, ::-1]
    assert differ.mean() < 0.002  # borders may fall on the other side of a pixel's middle


def test_canonical_landmarks_give_the_canonical_map():
    assert np.array_equal(region_map(48, CANONICAL), region_map(48))


def test_shifted_landmarks_shift_the_regions():
    shifted = region_map(48, CANONICAL + np.array([3, 2]) / 48)
    assert np.array_equal(shifted[2:, 3:], region_map(48)[:-2, :-3])


def test_the_canonical_map_is_a_face():
    regions = region_map(48)
    assert set(np.unique(regions)) == set(range(len(REGIONS)))
    rows = {name: np.nonzero(regions == i)[0].mean() for i, name in enumerate(REGIONS)}
    order = ["forehead", "brows", "eyes", "nose", "mouth", "chin"]
    assert sorted(order, key=rows.__getitem__) == order
    for y, x in ((0, 0), (0, 47), (47, 0), (47, 47)):
        assert regions[y, x] == OUTSIDE


def test_landmarks_in_a_picture_become_places_in_a_crop():
    found = in_crop(((20, 40), (40, 40), (30, 50), (20, 60), (40, 60)), Square(x=10, y=20, side=80))
    assert found[0].tolist() == [0.125, 0.25]
    assert found[4].tolist() == [0.375, 0.5]


def test_the_median_passes_over_faces_without_landmarks():
    assert median_landmarks([None, None]) is None
    found = median_landmarks([None, CANONICAL, CANONICAL + 1, CANONICAL + 9])
    assert np.array_equal(found, CANONICAL + 1)


@pytest.mark.data
def test_landmarks_of_real_crops_are_where_the_canonical_ones_are(shared_models, real_fer2013):
    detector = DETECTORS["yunet"](shared_models / "face_detection_yunet_2026may.onnx")
    crops = real_fer2013.in_split("test").images[:60]
    found = [find_landmarks(crop, detector) for crop in crops]
    assert sum(points is not None for points in found) > 50
    assert np.abs(median_landmarks(found) - CANONICAL).max() < 1.5 / 48


def test_a_detector_without_landmarks_finds_none(crop):
    assert find_landmarks(crop, DETECTORS["haar"](None)) is None
