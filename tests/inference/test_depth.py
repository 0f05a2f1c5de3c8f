"""Colours of more than 8 bits a channel."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import PIL.Image
import pytest

from held import HELD
from mien.errors import ImageError
from mien.inference.depth import WHITES
from mien.inference.pictures import ORIENTATION, read_picture


@pytest.fixture
def colour():
    """A picture of which no turn and no mirror image is the picture itself, uint8 (30, 40, 3)."""
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[:15, :20], picture[:15, 20:] = (255, 30, 40), (30, 180, 60)
    picture[15:, :20], picture[15:, 20:] = (40, 50, 220), (240, 240, 20)
    return picture


def deep(picture, white):
    return np.rint(picture / 255.0 * white).astype(np.uint16)


def write_tiff(path, pixels, order="<", orientation=1):
    """Write uint16 (H, W, C) as a TIFF that is not packed, as machine-vision cameras do."""
    height, width, channels = pixels.shape
    content = pixels.astype(f"{order}u2").tobytes()
    opacity = {338: 2} if channels == 4 else {}
    tags = {256: width, 257: height, 258: 0, 259: 1, 262: 2, 273: 0, ORIENTATION: orientation}
    tags |= {277: channels, 278: height, 279: len(content), 284: 1, **opacity, 65000: 7}
    bits = 8 + 2 + 12 * len(tags) + 4
    tags[258], tags[273] = bits, bits + 2 * channels
    head = struct.pack(f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(tags))
    for tag, value in sorted(tags.items()):
        kind, count = (3, channels) if tag == 258 else (4, 1)
        head += struct.pack(f"{order}HHII", tag, kind, count, value)
    head += struct.pack(f"{order}I", 0) + struct.pack(f"{order}{channels}H", *[16] * channels)
    path.write_bytes(head + content)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("white", WHITES)
def test_colours_are_scaled_as_grey_is(tmp_path, colour, white, order):
    path = write_tiff(tmp_path / "a.tiff", deep(colour, white), order)
    found = read_picture(path).astype(int)
    assert np.abs(found - colour).max() <= 1
    grey = deep(colour[..., 0], white)
    PIL.Image.fromarray(grey).save(tmp_path / "grey.tiff")
    assert np.array_equal(found[..., 0], read_picture(tmp_path / "grey.tiff")[..., 0])


@pytest.mark.parametrize("packing", [5, 8, 32773], ids=["LZW", "deflate", "PackBits"])
def test_packed_colours_are_scaled(tmp_path, colour, packing):
    options = [cv2.IMWRITE_TIFF_COMPRESSION, packing]
    assert cv2.imwrite(str(tmp_path / "a.tiff"), deep(colour, 4095)[..., ::-1], options)
    assert np.abs(read_picture(tmp_path / "a.tiff").astype(int) - colour).max() <= 1


@pytest.mark.parametrize("orientation", HELD)
def test_colours_are_turned_once(tmp_path, colour, orientation):
    held = HELD[orientation](deep(colour, 4095))
    path = write_tiff(tmp_path / "a.tiff", held, orientation=orientation)
    assert np.abs(read_picture(path).astype(int) - colour).max() <= 1


def test_transparency_is_laid_over_white(tmp_path, colour):
    opacity = np.full((30, 40, 1), 4095)
    opacity[:15] = 0
    path = write_tiff(tmp_path / "a.tiff", np.dstack([deep(colour, 4095), opacity]))
    found = read_picture(path).astype(int)
    assert (found[:15] == 255).all()
    assert np.abs(found[15:] - colour[15:]).max() <= 1


def test_a_dark_png_stays_dark_as_its_white_is_defined(tmp_path, colour):
    assert cv2.imwrite(str(tmp_path / "a.png"), deep(colour, 4095)[..., ::-1])
    found = read_picture(tmp_path / "a.png").astype(int)
    assert np.abs(found - colour / 16).max() <= 1


def test_one_of_pillows_pictures_is_scaled_too(tmp_path, colour):
    with PIL.Image.open(write_tiff(tmp_path / "a.tiff", deep(colour, 4095))) as image:
        assert np.abs(read_picture(image).astype(int) - colour).max() <= 1


def test_what_a_camera_writes_beside_the_picture_prints_nothing(tmp_path, colour, capfd):
    read_picture(write_tiff(tmp_path / "a.tiff", deep(colour, 4095)))  # its last tag nobody knows
    assert capfd.readouterr() == ("", "")


def test_a_truncated_file_is_one_sentence(tmp_path, colour, capfd):
    path = write_tiff(tmp_path / "a.tiff", deep(colour, 4095))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ImageError, match=r"a\.tiff is damaged or cut short"):
        read_picture(path)
    assert capfd.readouterr() == ("", "")
