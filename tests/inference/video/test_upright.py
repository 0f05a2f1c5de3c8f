from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
import cv2
import numpy as np
import PIL.Image
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


@pytest.mark.parametrize("suffix", [".avi", ".mov", ".mkv"])
@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 1), (8, 3)])
def test_a_camera_that_writes_exif_in_each_frame_is_read_upright(
    tmp_path, suffix, orientation, turns
):
    stored = np.ascontiguousarray(np.rot90(quarters(), turns))
    path = write_jpegs(tmp_path / f"camera{suffix}", [stored] * 3, orientation)
    assert alike(shown(path), quarters())


def write_jpegs(path, pictures, orientation):
    """A video of JPEG files that have EXIF each, as small cameras write."""
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mjpeg", rate=15)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        for number, picture in enumerate(pictures):
            jpeg = io.BytesIO()
            PIL.Image.fromarray(picture).save(jpeg, "JPEG", quality=95, exif=exif)
            packet = av.Packet(jpeg.getvalue())
            packet.stream, packet.is_keyframe = stream, True
            packet.time_base, packet.duration = Fraction(1, 15), 1
            packet.pts = packet.dts = number
            file.mux(packet)
    return path


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
