"""Pictures from files and arrays: whatever they were, they become uint8 RGB."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from mien.errors import ImageError
from mien.inference.depth import WHITES, deep_colours, eight_bits
from mien.preprocess import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""The formats read, by Pillow's names; of an animation or a stack the first picture."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
"""The suffixes, in any case, by which a folder's pictures are known."""

MOST_PIXELS = 256_000_000
"""The largest picture that is decoded: phones write 200 megapixels. More is taken for an attack: a
few kilobytes of header can claim gigabytes of pixels."""

UNWARNED = 64_000_000
"""Pixels of the largest picture of which Pillow never warns while it decodes."""

LONGEST_EDGE = 65_535
"""Pixels of the longest edge that is decoded, as in JPEG: Pillow notes where each row lies, which
takes more than the pixels of a picture one pixel wide."""

STRIP = 64
"""Rows that are brought to RGB at once; of the whole picture, Pillow would make copies."""

ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held."""

TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}
"""What sets a picture upright, by the value of its orientation tag."""

SIDEWAYS, LAST_FIRST = (5, 6, 7, 8), (3, 4, 6, 7)
"""The tags of which rows become columns, and of which the first row comes last."""

_filters = threading.Lock()


AnyPicture = str | os.PathLike[str] | bytes | IO[bytes] | PIL.Image.Image | NDArray[Any]
"""What can be read as a picture: a file, its bytes, an open binary file, or pixels."""


def read_picture(picture: AnyPicture) -> Image:
    """Read a picture, upright, transparency laid over white.

    Args:
        picture: A file's path, its bytes, or an open binary file: a JPEG, PNG, WebP, BMP, TIFF or
            GIF; grey, colour, palette, CMYK, 8 or 16 bits. Or one of Pillow's images, or an array
            as `as_picture` takes it.

    Returns:
        uint8 (H, W, 3) in RGB order, which may be written to; an array that is that already is
        returned itself.

    Raises:
        ImageError: If it is missing, not a picture, damaged or too large.
    """
    if isinstance(picture, (str, os.PathLike)):
        return _read_file(Path(picture))
    if isinstance(picture, PIL.Image.Image):
        return _upright(picture, "The picture", MOST_PIXELS)
    if isinstance(picture, (bytes, bytearray, memoryview)):
        picture = BytesIO(picture)
    if isinstance(picture, np.ndarray) or not hasattr(picture, "read"):
        return as_picture(picture)
    name = getattr(picture, "name", None)
    return decode_picture(picture, name if isinstance(name, str) else "The picture")


def _read_file(path: Path) -> Image:
    _check_file(path)
    try:
        # By its path Pillow would map a TIFF into memory, and shear those that are to be turned.
        file = path.open("rb")
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {_reason(error)}.") from error
    with file:
        return decode_picture(file, str(path))


def decode_picture(content: IO[bytes], name: str, most_pixels: int = MOST_PIXELS) -> Image:
    """Decode a picture from an open stream, as `read_picture` does.

    Args:
        content: Where the bytes are.
        name: What errors call it.
        most_pixels: Of the largest picture that is decoded.

    Returns:
        uint8 (H, W, 3) in RGB order, which may be written to.

    Raises:
        ImageError: If it is not a picture, damaged, above `most_pixels` or longer than
            `LONGEST_EDGE`.
    """
    with _opened(content, name, most_pixels) as image:
        return _upright(image, name, most_pixels)


def picture_size(content: IO[bytes], name: str, most_pixels: int) -> tuple[int, int]:
    """Return the width and height that a picture's header tells; arguments as `decode_picture`.

    Raises:
        ImageError: If it is not a picture, or larger than is decoded.
    """
    with _opened(content, name, most_pixels) as image:
        _check_size(image, name, most_pixels)
        return image.size


def as_picture(array: object) -> Image:
    """Check an array that is to be a picture, and bring it to RGB.

    Args:
        array: uint8 (H, W, 3) RGB, (H, W, 4) RGB and opacity, or (H, W) grey.

    Returns:
        uint8 (H, W, 3) in RGB order; the array itself where it already is that.

    Raises:
        ImageError: If it has another type or shape or no pixels.
    """
    wanted = "A picture must be a uint8 array (H, W, 3) in RGB order, (H, W, 4) or (H, W)."
    if not isinstance(array, np.ndarray):
        raise ImageError(f"{wanted} Got {type(array).__name__} instead.")
    if array.dtype != np.uint8:
        hint = " Values from 0 to 1 are scaled by (255 * picture).astype('uint8')."
        raise ImageError(
            f"{wanted} Got {array.dtype} instead.{hint if array.dtype.kind == 'f' else ''}"
        )
    channels = array.shape[2:] if array.ndim == 3 else ()
    if array.ndim not in (2, 3) or channels not in ((), (3,), (4,)) or array.size == 0:
        raise ImageError(f"{wanted} Got the shape {array.shape} instead.")
    if channels == (3,):
        return np.ascontiguousarray(array)
    return _in_rgb(PIL.Image.fromarray(array))


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist.") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} cannot be read: {_reason(error)}.") from error
    if path.is_dir():
        raise ImageError(f"{path} is a folder, not a picture.")
    # Reading a device or a pipe could wait for ever.
    if not path.is_file():
        raise ImageError(f"{path} is not a regular file.")
    if size == 0:
        raise ImageError(f"{path} is empty.")


def _opened(content: IO[bytes], name: str, most_pixels: int) -> PIL.Image.Image:
    try:
        with _quiet(most_pixels):
            return PIL.Image.open(content, formats=FORMATS)
    except PIL.Image.DecompressionBombError:
        raise _too_large(name, most_pixels) from None
    except PIL.UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture mien reads ({', '.join(FORMATS)}).") from None
    except Exception as error:  # damaged headers, as above
        raise ImageError(f"{name} is damaged or cut short: {_reason(error)}.") from error


@contextmanager
def _quiet(most_pixels: int = MOST_PIXELS) -> Iterator[None]:
    # The filters of warnings belong to the whole process, so one thread at a time; so does the size
    # of which Pillow warns, and of which it refuses twice as much.
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        usual, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, -(-most_pixels // 2)
        try:
            yield
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = usual


def _unwarned(image: PIL.Image.Image) -> AbstractContextManager[None]:
    return _quiet() if image.width * image.height > UNWARNED else nullcontext()


def _too_large(name: str, most_pixels: int) -> ImageError:
    return ImageError(f"{name} has more than {most_pixels / 1_000_000:g} megapixels.")


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def _check_size(image: PIL.Image.Image, name: str, most_pixels: int) -> None:
    if image.width * image.height > most_pixels:
        raise _too_large(name, most_pixels)
    if max(image.size) > LONGEST_EDGE:
        size = f"{image.width}x{image.height}"
        raise ImageError(f"{name} is {size}: an edge may have {LONGEST_EDGE} pixels at most.")


def _upright(image: PIL.Image.Image, name: str, most_pixels: int) -> Image:
    _check_size(image, name, most_pixels)
    try:
        return _decoded(image)
    except Exception as error:  # Pillow's decoders raise whatever damaged data makes them raise
        raise ImageError(f"{name} is damaged or cut short: {_reason(error)}.") from error


def _decoded(image: PIL.Image.Image) -> Image:
    deep = deep_colours(image)
    with _unwarned(image):
        image.load()
    orientation = _orientation(image)
    if deep is not None:
        image = deep
    elif image.mode.startswith("I") or image.mode == "F":
        # PNG defines white; in other formats cameras store anything from 8 to 16 bits.
        white = WHITES[-1] if image.format == "PNG" else None
        image = PIL.Image.fromarray(eight_bits(np.asarray(image), white))
    with _unwarned(image):  # Pillow may look at the size of each strip, too
        return _in_rgb(image, orientation)


def _orientation(image: PIL.Image.Image) -> int:
    try:
        with _quiet():
            return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF data says nothing; the pixels are still good
        return 1


def _in_rgb(image: PIL.Image.Image, orientation: int = 1) -> Image:
    """Return a picture of 8 bits as uint8 (H, W, 3), upright, laid over white."""
    (width, height), turn = image.size, TURNS.get(orientation)
    sideways = orientation in SIDEWAYS
    pixels = np.empty((width, height, 3) if sideways else (height, width, 3), np.uint8)
    for start in range(0, height, STRIP):
        end = min(start + STRIP, height)
        strip = _flattened(image.crop((0, start, width, end)))
        rows = slice(start, end)
        if orientation in LAST_FIRST:
            rows = slice(height - end, height - start)
        place = (slice(None), rows) if sideways else rows
        pixels[place] = np.asarray(strip if turn is None else strip.transpose(turn))
    return pixels


def _flattened(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return a picture of 8 bits as RGB, laid over white where it is transparent."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = PIL.Image.new("RGB", image.size, "white")
    white.paste(image, mask=image)
    return white
