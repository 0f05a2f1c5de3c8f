import numpy as np
import pytest

from mien.data.sizes import of_side
from mien.preprocess import Preprocess, Square


@pytest.mark.parametrize("side", [20, 48, 100])
def test_faces_are_resized_as_a_crop_is(side):
    faces = np.random.default_rng(0).integers(0, 256, (3, side, side), dtype=np.uint8)
    whole = Square(x=0, y=0, side=side)
    crops = [Preprocess(size=48).crop(face, whole) for face in faces]
    np.testing.assert_array_equal(of_side(faces, 48), crops)
