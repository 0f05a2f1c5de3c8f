import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.explanation.overlay import AGAINST, FOR, LINE, enlarged, outlined, overlay, scale
from mien.explanation.regions import region_map


@pytest.mark.parametrize("side", [48, 240])
def test_nothing_is_laid_over_a_face_without_a_heatmap(crop, side):
    found = overlay(crop, np.zeros((48, 48)), side)
    assert found.shape == (side, side, 3)
    assert np.array_equal(found, enlarged(crop, side))


@given(st.sampled_from([1, -1]), st.floats(1e-6, 1e6))
def test_what_speaks_for_an_expression_has_one_colour_and_against_it_another(sign, strength):
    grey = np.full((48, 48), 128, np.uint8)
    found = overlay(grey, np.full((48, 48), sign * strength), 48)
    colour = FOR if sign > 0 else AGAINST
    assert np.abs(found[0, 0] - (0.8 * np.array(colour) + 0.2 * 128)).max() <= 1


def test_a_single_pixel_is_still_seen():
    heatmap = np.zeros((48, 48))
    heatmap[20, 20] = 3
    assert scale(heatmap) == 3
    assert (overlay(np.zeros((48, 48), np.uint8), heatmap, 48)[20, 20] > 0).any()


def test_borders_are_drawn_between_regions_only():
    black = np.zeros((240, 240, 3), np.uint8)
    drawn = (outlined(black, region_map(48)) == LINE).all(axis=2)
    assert 0.01 < drawn.mean() < 0.1
    assert not outlined(black, np.zeros((48, 48), np.intp)).any()
