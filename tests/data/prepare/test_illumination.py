"""Uneven light."""

import numpy as np
import pytest

import makers
from mien.data.prepare.illumination import ILLUMINATIONS


@pytest.mark.parametrize("name", sorted(ILLUMINATIONS))
def test_light_is_evened_out(name):
    dark = (makers.drawn_face(2, np.random.default_rng(0)) // 4).astype(np.uint8)
    lit = ILLUMINATIONS[name](dark, 0.5)
    assert (lit.shape, lit.dtype) == (dark.shape, np.uint8)
    assert (lit == dark).all() if name == "none" else lit.std() > 1.3 * dark.std()


def test_gamma_keeps_black_and_white():
    grades = np.arange(256, dtype=np.uint8)[None]
    lit = ILLUMINATIONS["gamma"](grades, 0.5)[0]
    assert (lit[0], lit[255], lit[64]) == (0, 255, 128)
    assert (ILLUMINATIONS["gamma"](grades, 1.0) == grades).all()
