import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mien.preprocess import Preprocess, Square


def test_the_whole_picture_is_its_own_crop():
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    crop = Preprocess().crop(image, Square(x=0, y=0, side=48))
    np.testing.assert_array_equal(crop, image)


def test_beyond_the_edges_the_edge_repeats():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    crop = Preprocess(size=8).crop(image, Square(x=-2, y=-2, side=8))
    np.testing.assert_array_equal(crop, np.pad(image, 2, mode="edge"))


def test_far_outside_there_is_only_the_nearest_pixel():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    crop = Preprocess(size=8).crop(image, Square(x=40, y=-30, side=10))
    assert crop.tolist() == [[3] * 8] * 8


def test_colour_is_weighted_as_bt601():
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[..., 0] = 255
    assert Preprocess(size=8).crop(picture, Square(x=0, y=0, side=8)).tolist() == [[76] * 8] * 8


@given(
    st.floats(-200, 200),
    st.floats(-200, 200),
    st.floats(0.1, 500),
    st.integers(1, 60),
    st.booleans(),
)
def test_every_square_gives_a_crop_within_the_pictures_values(x, y, side, height, colour):
    shape = (height, 37, 3) if colour else (height, 37)
    picture = np.random.default_rng(1).integers(90, 110, shape, dtype=np.uint8)
    crop = Preprocess().crop(picture, Square(x=x, y=y, side=side))
    assert crop.shape == (48, 48)
    assert crop.dtype == np.uint8
    assert 89 <= crop.min() <= crop.max() <= 110


def test_numpy_and_torch_normalise_alike():
    crops = np.random.default_rng(2).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    preprocess = Preprocess()
    tensor = preprocess.normalise(torch.from_numpy(crops)[:, None].float())
    np.testing.assert_array_equal(preprocess.to_input(crops), tensor.numpy())
    assert preprocess.to_input(crops)[0, 0, 0, 0] == pytest.approx(
        (float(crops[0, 0, 0]) - 127.5) / 64
    )


def test_a_square_has_a_side():
    with pytest.raises(ValidationError):
        Square(x=0, y=0, side=0)
