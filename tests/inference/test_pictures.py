from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import WebPImagePlugin

from held import HELD
from mien.errors import ImageError
from mien.inference import pictures
from mien.inference.pictures import (
    MOST_PIXELS,
    ORIENTATION,
    as_picture,
    decode_picture,
    read_picture,
)

RAMP = np.linspace(0, 255, 40 * 30).astype(np.uint8).reshape(30, 40)


@pytest.fixture
def colour():
    """A picture whose four quarters differ, uint8 (30, 40, 3)."""
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[:15, :20], picture[:15, 20:] = (200, 30, 40), (30, 180, 60)
    picture[15:, :20], picture[15:, 20:] = (40, 50, 220), (240, 240, 20)
    return picture


def saved(path, array, **options):
    PIL.Image.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".tif"])
def test_lossless_formats_keep_every_pixel(tmp_path, colour, suffix):
    assert np.array_equal(read_picture(saved(tmp_path / f"a{suffix}", colour)), colour)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_keep_the_colours_in_rgb_order(tmp_path, colour, suffix):
    path = saved(tmp_path / f"a{suffix}", colour, quality=95)
    found = read_picture(path).astype(int)
    assert found.shape == colour.shape
    for row, column in [(7, 10), (7, 30), (22, 10), (22, 30)]:
        assert np.abs(found[row, column] - colour[row, column]).max() < 12


def test_the_first_picture_of_an_animation_is_read(tmp_path):
    frames = [PIL.Image.new("RGB", (8, 8), c) for c in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]


def test_a_picture_can_be_written_to(tmp_path, colour):
    PIL.Image.fromarray(colour).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    picture[0, 0] = 7
    assert picture.flags.c_contiguous


def test_the_suffix_does_not_matter(tmp_path, colour):
    path = saved(tmp_path / "a.png", colour).rename(tmp_path / "a.jpg")
    assert np.array_equal(read_picture(path), colour)


def test_grey_becomes_three_equal_channels(tmp_path):
    found = read_picture(saved(tmp_path / "a.png", RAMP))
    assert all(np.array_equal(found[..., c], RAMP) for c in range(3))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(tmp_path, mode):
    image = PIL.Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 128))
    image.convert(mode).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png")[0, :, 0].tolist() == [0, 127]


def test_a_palette_with_a_transparent_colour(tmp_path):
    image = PIL.Image.new("P", (2, 1))
    image.putpalette([200, 10, 10, 10, 10, 200])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=1)
    assert read_picture(tmp_path / "a.png").tolist() == [[[200, 10, 10], [255, 255, 255]]]


def test_black_and_white(tmp_path):
    PIL.Image.fromarray(RAMP).convert("1").save(tmp_path / "a.png")
    assert set(np.unique(read_picture(tmp_path / "a.png"))) == {0, 255}


def test_cmyk(tmp_path):
    PIL.Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = read_picture(tmp_path / "a.jpg")[8, 8].astype(int)
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize(
    ("suffix", "white"),
    [(".png", 65535), (".tiff", 1023), (".tiff", 4095), (".tiff", 16383), (".tiff", 65535)],
)
def test_16_bit_grey_is_scaled_and_not_clipped(tmp_path, suffix, white):
    deep = np.rint(RAMP / 255.0 * white).astype(np.uint16)
    found = read_picture(saved(tmp_path / f"a{suffix}", deep))
    assert np.abs(found[..., 0].astype(int) - RAMP).max() <= 1


def test_a_dark_16_bit_png_stays_dark(tmp_path):
    deep = np.rint(RAMP / 255.0 * 2000).astype(np.uint16)
    assert read_picture(saved(tmp_path / "a.png", deep)).max() == 8


@pytest.mark.parametrize(
    "values",
    [
        RAMP.astype(np.float32) / 255,
        RAMP.astype(np.float32),
        RAMP.astype(np.float32) * 1000 - 9000,
        RAMP.astype(np.int32) * 400_000 - 1_000_000,
    ],
    ids=["0 to 1", "0 to 255", "any float", "32 bits"],
)
def test_floats_and_32_bits_are_scaled(tmp_path, values):
    found = read_picture(saved(tmp_path / "a.tiff", values))
    assert np.abs(found[..., 0].astype(int) - RAMP).max() <= 1


@pytest.mark.parametrize("value", [-5.0, 7e4])
def test_one_value_beyond_what_is_usual_is_black(tmp_path, value):
    values = np.full((20, 20), value, np.float32)
    assert read_picture(saved(tmp_path / "a.tiff", values)).max() == 0


def test_values_that_are_no_numbers_become_black(tmp_path):
    values = RAMP.astype(np.float32) / 255
    values[3, 4] = np.nan
    assert read_picture(saved(tmp_path / "a.tiff", values))[3, 4].tolist() == [0, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, colour, orientation):
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path / "a.png", np.ascontiguousarray(HELD[orientation](colour)), exif=exif)
    assert np.array_equal(read_picture(path), colour)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "I;16"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_that_is_not_packed_is_turned_as_others_are(tmp_path, colour, mode, orientation):
    if mode == "I;16":
        values, expected = RAMP.astype("<u2") * 257, np.repeat(RAMP[..., None], 3, axis=2)
    else:
        upright = PIL.Image.fromarray(colour).convert(mode)
        values, expected = np.asarray(upright), np.asarray(upright.convert("RGB"))
    turned = HELD[orientation](values)
    held = PIL.Image.frombytes(mode, turned.shape[1::-1], turned.tobytes())
    path = tmp_path / "a.tiff"
    held.save(path, tiffinfo={ORIENTATION: orientation})
    assert np.array_equal(read_picture(path), expected)
    assert np.array_equal(decode_picture(io.BytesIO(path.read_bytes()), "a.tiff"), expected)


def test_damaged_exif_does_not_hide_the_picture(tmp_path, colour):
    path = saved(tmp_path / "a.png", colour, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(read_picture(path), colour)


def test_one_pixel_is_a_picture(tmp_path):
    assert read_picture(saved(tmp_path / "a.png", RAMP[:1, :1])).shape == (1, 1, 3)


def test_a_missing_file(tmp_path):
    with pytest.raises(ImageError, match=r"none\.jpg does not exist\."):
        read_picture(tmp_path / "none.jpg")


def test_an_empty_file(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ImageError, match=r"a\.jpg is empty\."):
        read_picture(tmp_path / "a.jpg")


def test_a_folder(tmp_path):
    with pytest.raises(ImageError, match="is a folder"):
        read_picture(tmp_path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_a_device_is_not_read_for_ever():
    with pytest.raises(ImageError, match="not a regular file"):
        read_picture("/dev/zero")


def test_text_with_the_name_of_a_picture(tmp_path):
    (tmp_path / "a.png").write_text("this is no picture\n" * 50)
    with pytest.raises(ImageError, match=r"a\.png is not a picture mien reads \(JPEG, PNG"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff", ".gif", ".bmp"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_a_truncated_file_is_an_error_and_not_half_a_picture(
    tmp_path, portrait_pixels, suffix, share
):
    path = saved(tmp_path / f"a{suffix}", portrait_pixels)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageError, match=f"a{suffix} is (damaged or cut short|not a picture)"):
        read_picture(path)


def test_every_damaged_png_is_read_or_refused_in_one_sentence(tmp_path, colour):
    content = bytearray(saved(tmp_path / "a.png", colour).read_bytes())
    for position in range(len(content)):
        broken = content.copy()
        broken[position] ^= 0xFF
        (tmp_path / "b.png").write_bytes(broken)
        message = complaint(tmp_path / "b.png")
        assert "\n" not in message
        assert message == "" or message.startswith(f"{tmp_path / 'b.png'} ")


def complaint(path):
    try:
        read_picture(path)
    except ImageError as error:
        return str(error)
    return ""


def bomb(path, width, height, kind=2):
    """Write a PNG of a few bytes whose header claims a large picture, of colours or 0 of grey."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("side", [16_001, 30_000, 2_000_000])
def test_a_header_bomb_is_refused_before_it_is_decoded(tmp_path, side):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match=r"bomb\.png has more than 256 megapixels\."):
            read_picture(bomb(tmp_path / "bomb.png", side, side))
    assert side * side > MOST_PIXELS


def test_pillow_does_not_warn_of_what_is_allowed(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="damaged"):
            read_picture(bomb(tmp_path / "large.png", 16_000, 12_500, kind=0))


def test_pillow_neither_warns_nor_refuses_while_it_decodes(tmp_path, colour, monkeypatch):
    path = saved(tmp_path / "a.tiff", colour)
    monkeypatch.setattr(pictures, "UNWARNED", colour.size // 3 - 1)
    for limit in (1000, 500):  # it warns above the limit, and refuses above twice as much
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", limit)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.array_equal(read_picture(path), colour)
        assert limit == PIL.Image.MAX_IMAGE_PIXELS


def test_a_lower_limit_is_kept_and_said(tmp_path):
    path = bomb(tmp_path / "large.png", 9_900, 10_000)
    for limit, megapixels in ((98_999_999, "99"), (50_000_000, "50"), (10_000_000, "10")):
        with path.open("rb") as file, pytest.raises(ImageError) as caught:
            decode_picture(file, "large.png", limit)
        assert str(caught.value) == f"large.png has more than {megapixels} megapixels."


@pytest.mark.skipif(not hasattr(WebPImagePlugin, "_get_size"), reason="needs Pillow 13")
def test_a_webp_makes_no_room_for_more_pixels_than_are_decoded():
    """Its decoder makes room for the picture as soon as it is opened."""
    size = b"".join((edge - 1).to_bytes(3, "little") for edge in (12_000, 12_000))
    content = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + size
    with pytest.raises(ImageError, match="has more than 50 megapixels"):
        decode_picture(io.BytesIO(content), "a.webp", 50_000_000)
    with pytest.raises(ImageError, match="damaged"):
        decode_picture(io.BytesIO(content), "a.webp")


def test_pillows_own_limit_is_left_as_it_is(tmp_path, colour):
    before = PIL.Image.MAX_IMAGE_PIXELS
    read_picture(saved(tmp_path / "a.png", colour))
    with pytest.raises(ImageError):
        read_picture(bomb(tmp_path / "bomb.png", 30_000, 30_000))
    assert before == PIL.Image.MAX_IMAGE_PIXELS


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs another user")
def test_a_file_one_may_not_read():
    code = (
        "import os, pathlib, sys, tempfile\n"
        "from mien.errors import ImageError\n"
        "from mien.inference.pictures import read_picture\n"
        "folder = pathlib.Path(tempfile.mkdtemp())\n"
        "(folder / 'a.png').write_bytes(b'x')\n"
        "(folder / 'a.png').chmod(0)\n"
        "folder.chmod(0o755)\n"
        "os.setuid(65534)\n"
        "try: read_picture(folder / 'a.png')\n"
        "except ImageError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("a.png cannot be read: Permission denied.\n")


def test_arrays_become_rgb(colour):
    assert np.array_equal(as_picture(colour), colour)
    assert np.array_equal(as_picture(RAMP)[..., 1], RAMP)
    clear = np.dstack([colour, np.zeros((30, 40), np.uint8)])
    assert (as_picture(clear) == 255).all()


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((4, 4, 3)), r"Got float64 instead\. Values from 0 to 1"),
        (np.zeros((4, 4, 3), np.int32), "Got int32 instead"),
        (np.zeros((4, 4, 2), np.uint8), r"Got the shape \(4, 4, 2\)"),
        (np.zeros((4,), np.uint8), r"Got the shape \(4,\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"Got the shape \(1, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"Got the shape \(0, 4, 3\)"),
        ([[1, 2], [3, 4]], "Got list instead"),
    ],
)
def test_other_arrays_are_refused(array, complaint):
    with pytest.raises(ImageError, match=complaint):
        as_picture(array)
