from __future__ import annotations

import struct
from fractions import Fraction

import cv2
import numpy as np
import pytest
from clips import write_clip

from mien.inference.video.clip import Clip


def quarters():
    """A picture of which no turn and no mirror image is the picture itself, 64x48."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :, 0] = 40
    picture[:24, :32] = 200
    picture[24:, :32] = 120
    return picture


def shown(path):
    return next(iter(Clip(path).frames())).picture


def alike(one, other):
    assert one.shape == other.shape
    return abs(one.astype(int) - other).mean() < 8


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_rotated_video_is_set_upright(tmp_path, rotation):
    held = np.ascontiguousarray(np.rot90(quarters(), -rotation // 90))
    path = write_clip(tmp_path / "held.mp4", [held] * 5, rotation=rotation)
    assert alike(shown(path), quarters())


@pytest.mark.parametrize(
    ("matrix", "stored"),
    [
        ((-1, 0, 0, 1), quarters()[:, ::-1]),
        ((1, 0, 0, -1), quarters()[::-1]),
        ((0, 1, 1, 0), quarters().transpose(1, 0, 2)),
        ((0, -1, -1, 0), quarters()[::-1, ::-1].transpose(1, 0, 2)),
    ],
)
def test_a_mirrored_video_is_set_right(tmp_path, matrix, stored):
    path = write_clip(tmp_path / "mirror.mp4", [np.ascontiguousarray(stored)] * 5)
    content = bytearray(path.read_bytes())
    # ISO/IEC 14496-12, section 8.3.2: a, b, u, c, d of the matrix in the track's header.
    start = content.index(b"tkhd") + 44
    a, b, c, d = (edge << 16 for edge in matrix)
    content[start : start + 20] = struct.pack(">5i", a, b, 0, c, d)
    path.write_bytes(content)
    assert alike(shown(path), quarters())


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(2, 3), Fraction(1, 4)])
@pytest.mark.parametrize("rotation", [0, 90])
def test_pixels_become_square(tmp_path, aspect, rotation):
    # A round spot, squeezed as the pixels are.
    round_spot = np.full((48, 64, 3), 30, np.uint8)
    cv2.circle(round_spot, (24, 20), 14, (220, 220, 220), -1, cv2.LINE_AA)
    held = np.ascontiguousarray(np.rot90(round_spot, -rotation // 90))
    stored = cv2.resize(held, squeezed(held, aspect), interpolation=cv2.INTER_AREA)
    path = write_clip(tmp_path / "wide.mp4", [stored] * 3, rotation=rotation, aspect=aspect)
    picture = shown(path)
    assert picture.shape == (48, 64, 3)
    spot = picture[:, :, 0] > 125
    assert spot.any(axis=0).sum() == pytest.approx(28, abs=3)
    assert spot.any(axis=1).sum() == pytest.approx(28, abs=3)


def squeezed(picture, aspect):
    height, width = picture.shape[:2]
    return (round(width / aspect), height) if aspect > 1 else (width, round(height * aspect))


def test_pixels_that_nobody_has_are_taken_for_square(tmp_path, numbered):
    path = write_clip(tmp_path / "wide.mkv", numbered[:3], aspect=Fraction(200, 1))
    assert shown(path).shape == (48, 64, 3)
