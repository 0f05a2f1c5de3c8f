"""Eyes, and faces turned until they are level."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import makers
from makers import IMED_FRAME
from mien.data.prepare.eyes import EyeFinder, tilt
from mien.data.prepare.level import levelled
from mien.inference.detectors import DETECTORS
from mien.inference.face import Box, Face
from mien.preprocess import Preprocess, Square, grey

WEIGHTS = "face_detection_yunet_2026may.onnx"


@pytest.mark.parametrize(
    ("eyes", "degrees"), [(((0, 0), (5, 0)), 0), (((0, 0), (5, 5)), 45), (((3, 9), (3, 1)), -90)]
)
def test_tilt_is_measured_downwards(eyes, degrees):
    assert tilt(eyes) == pytest.approx(degrees)


@given(x=st.integers(-20, 40), y=st.integers(-20, 40), side=st.integers(8, 50))
def test_levelling_what_is_level_is_cropping(x, y, side):
    picture = grey(makers.bright_picture(1))
    square = Square(x=x, y=y, side=side)
    assert (levelled(picture, square, 0) == Preprocess(size=side).crop(picture, square)).all()


@pytest.mark.parametrize("degrees", [-90, 90])
def test_levelling_turns_about_the_middle(degrees):
    picture = grey(makers.bright_picture(2, 61, 61))
    turned = levelled(picture, Square(x=10, y=12, side=31), degrees)
    turns = 1 if degrees > 0 else -1
    difference = turned.astype(int) - np.rot90(picture[12:43, 10:41], turns)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("degrees", [-10, -5, 5, 9])
def test_the_tilt_of_a_face_is_that_of_its_eyes(portrait_pixels, degrees):
    here, there = (_eyes(makers.photograph(portrait_pixels, IMED_FRAME, d)) for d in (0, degrees))
    # The portrait's head is inclined by itself.
    assert tilt(there) - tilt(here) == pytest.approx(-degrees, abs=3)


@pytest.mark.parametrize("degrees", [-9, 8])
def test_eyes_become_level(portrait_pixels, degrees):
    photo = makers.photograph(portrait_pixels, IMED_FRAME, degrees)
    (face,) = DETECTORS["haar"](None).detect(photo)
    wide = Square(x=face.square.x - 60, y=face.square.y - 60, side=face.square.side + 120)
    upright = levelled(photo, wide, tilt(_eyes(photo)))
    assert abs(tilt(_eyes(upright))) < 3


def _eyes(photo):
    (face,) = DETECTORS["haar"](None).detect(photo)
    return EyeFinder().find(grey(photo), face)


def test_a_face_without_eyes_has_none():
    face = Face(Box(5, 5, 40, 40), 1.0, Square(x=5, y=5, side=40))
    assert EyeFinder().find(np.full((60, 60), 99, np.uint8), face) is None


@pytest.mark.data
def test_yunet_tells_the_eyes_itself(portrait_pixels, shared_models):
    (face,) = DETECTORS["yunet"](shared_models / WEIGHTS).detect(portrait_pixels)
    haar = EyeFinder().find(
        grey(portrait_pixels), DETECTORS["haar"](None).detect(portrait_pixels)[0]
    )
    distances = [math.dist(*pair) for pair in zip(face.eyes, haar)]
    assert max(distances) < 0.08 * face.box.width
