"""Black frames around photographs."""

import io

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

import makers
from makers import IMED_FRAME
from mien.data.prepare.frame import BLACK, NO_FRAME, SMALLEST, Frame, find_frame

widths = st.integers(0, 40)
frames = st.builds(Frame, widths, widths, widths, widths)


@given(seed=st.integers(0, 99), frame=frames, black=st.integers(0, BLACK))
def test_a_drawn_frame_is_found_exactly(seed, frame, black):
    picture = makers.bright_picture(seed)
    photo = makers.framed(picture, frame, black)
    assert find_frame(photo) == frame
    assert (find_frame(photo).cut(photo) == picture).all()


@given(seed=st.integers(0, 99))
def test_nothing_is_cut_where_there_is_no_frame(seed):
    assert find_frame(makers.bright_picture(seed)) == NO_FRAME
    assert find_frame(makers.bright_picture(seed)[..., 0]) == NO_FRAME


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    seed=st.integers(0, 99),
    brightest=st.integers(1, 255),
)
def test_any_picture_keeps_something(height, width, seed, brightest):
    picture = np.random.default_rng(seed).integers(0, brightest + 1, (height, width, 3))
    rest = find_frame(picture.astype(np.uint8)).cut(picture)
    assert min(rest.shape[:2]) >= min(SMALLEST, height, width)


@pytest.mark.parametrize("quality", [75, 90, 95])
@given(frame=frames, black=st.integers(0, 8))
def test_compression_does_not_hide_a_frame(portrait_pixels, quality, frame, black):
    photo = makers.framed(makers.photograph(portrait_pixels), frame, black)
    small = io.BytesIO()
    PIL.Image.fromarray(photo).save(small, "JPEG", quality=quality)
    found = find_frame(read_picture_bytes(small))
    # Of one thinner than a block of JPEG the blur may leave nothing that ends at once.
    assert all(abs(a - b) <= 4 or (a == 0 and b < 8) for a, b in zip(found, frame))


def read_picture_bytes(content):
    return np.asarray(PIL.Image.open(content).convert("RGB"))


@pytest.mark.parametrize("value", [0, 3, BLACK])
def test_a_black_picture_is_left_alone(value):
    assert find_frame(np.full((48, 72, 3), value, np.uint8)) == NO_FRAME


def test_a_dark_picture_without_a_frame_is_left_alone():
    generator = np.random.default_rng(0)
    night = generator.normal(14, 6, (240, 320, 3)).clip(0, 255).astype(np.uint8)
    assert find_frame(night) == NO_FRAME
    # Light that fades away towards the edges, as around a lamp.
    y, x = np.mgrid[-120:120, -160:160]
    lamp = (200 * np.exp(-(x**2 + y**2) / 2 / 45**2)).astype(np.uint8)
    assert find_frame(lamp) == NO_FRAME


def test_specks_in_a_frame_do_not_count(portrait_pixels):
    photo = makers.photograph(portrait_pixels, IMED_FRAME)
    photo[5, 300], photo[200, 10] = 255, 255
    assert find_frame(photo) == IMED_FRAME
