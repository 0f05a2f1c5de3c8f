"""Pictures in other forms than a file, extreme shapes, and the way to RGB strip by strip."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mien.errors import ImageError
from mien.inference.pictures import LONGEST_EDGE, ORIENTATION, STRIP, TURNS, picture_size
from mien.inference.pictures import read_picture as read

RNG = np.random.default_rng(7)

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")


def some(mode: str, height: int = 2 * STRIP + 5, width: int = 37) -> PIL.Image.Image:
    """A picture of noise, transparent in places where its mode can be."""
    noise = PIL.Image.fromarray(RNG.integers(0, 256, (height, width, 4), dtype=np.uint8))
    return noise if mode == "RGBA" else noise.convert("LA" if mode == "LA" else "RGB").convert(mode)


def at_once(image: PIL.Image.Image, orientation: int = 1) -> np.ndarray:
    """Bring a picture to RGB as a whole."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image)
    image = image.convert("RGB")
    return np.asarray(image.transpose(TURNS[orientation]) if orientation > 1 else image)


def as_file(image: PIL.Image.Image, form: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_strips_are_what_the_whole_would_be(mode, orientation):
    image = some(mode)
    image.getexif()[ORIENTATION] = orientation
    found = read(image)
    assert np.array_equal(found, at_once(image, orientation))
    assert found.flags.c_contiguous
    found[:] = 0  # it is the caller's own


def test_a_transparent_colour_of_a_palette_in_strips():
    image = some("P")
    image.info["transparency"] = 5
    assert np.array_equal(read(image), at_once(image))
    assert (read(image)[np.asarray(image) == 5] == 255).all()


def test_every_opacity_of_every_value_is_laid_over_white():
    opacity, value = np.meshgrid(*[np.arange(256, dtype=np.uint8)] * 2)
    image = PIL.Image.fromarray(np.dstack([value, value, value, opacity]))
    assert np.array_equal(read(image), at_once(image))


@pytest.mark.parametrize("size", [(LONGEST_EDGE + 1, 1), (1, LONGEST_EDGE + 1)])
def test_no_edge_is_longer_than_a_jpegs(size):
    for picture in (as_file(PIL.Image.new("L", size)), PIL.Image.new("L", size)):
        with pytest.raises(ImageError, match=f"is {size[0]}x{size[1]}: an edge may have 65535"):
            read(picture)
    shorter = tuple(min(edge, LONGEST_EDGE) for edge in size)
    assert read(as_file(PIL.Image.new("L", shorter))).shape == (shorter[1], shorter[0], 3)


STATUS = Path("/proc/self/status")

PEAK = """
import pathlib, sys
from mien.inference.pictures import read_picture
def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
before = peak()
read_picture(sys.argv[1])
print(peak() - before)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="memory is told by Linux only")
def test_a_transparent_picture_takes_little_more_than_its_pixels(tmp_path):
    side = 4000
    (tmp_path / "a.png").write_bytes(as_file(PIL.Image.new("RGBA", (side, side), (1, 2, 3, 100))))
    command = [sys.executable, "-c", PEAK, str(tmp_path / "a.png")]
    taken = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) * 1024
    assert 6 * side**2 < taken < 9 * side**2  # 4 bytes a pixel are decoded, 3 are made of them


def test_bytes_and_open_files_are_read_as_the_file(portrait, tmp_path):
    content, wanted = portrait.read_bytes(), read(portrait)
    for given in (content, bytearray(content), memoryview(content), io.BytesIO(content)):
        assert np.array_equal(read(given), wanted)
    with portrait.open("rb") as file:
        assert np.array_equal(read(file), wanted)
        assert not file.closed
    (tmp_path / "a.jpg").write_bytes(content[:900])
    with (tmp_path / "a.jpg").open("rb") as file, pytest.raises(ImageError, match=r"a\.jpg is dam"):
        read(file)


def test_pillows_images_are_turned_as_files_are(tmp_path):
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    some("RGB").save(tmp_path / "a.png", exif=exif)
    with PIL.Image.open(tmp_path / "a.png") as image:
        found = read(image)
    assert found.shape == (37, 2 * STRIP + 5, 3)
    assert np.array_equal(found, read(tmp_path / "a.png"))


def test_an_array_that_is_rgb_is_itself():
    array = np.zeros((4, 5, 3), np.uint8)
    assert read(array) is array


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (b"", "The picture is not a picture mien reads"),
        (io.BytesIO(b"no picture"), "The picture is not a picture mien reads"),
        (None, "Got NoneType instead"),
        (7, "Got int instead"),
        (np.zeros((4, 4, 3)), r"Got float64 instead\. Values from 0 to 1"),
    ],
)
def test_what_is_no_picture_is_said_in_a_sentence(given, complaint):
    with pytest.raises(ImageError, match=complaint):
        read(given)


def test_a_size_is_told_without_decoding():
    content = io.BytesIO(as_file(PIL.Image.new("RGB", (300, 20)))[:-40])
    assert picture_size(content, "a.png", 6000) == (300, 20)
    assert picture_size(content, "a.png", 6000) == (300, 20)  # wherever the stream stands
    with pytest.raises(ImageError, match=r"a\.png has more than 0\.005999 megapixels"):
        picture_size(content, "a.png", 5999)
    with pytest.raises(ImageError, match=r"b\.png is not a picture"):
        picture_size(io.BytesIO(b"x"), "b.png", 6000)
