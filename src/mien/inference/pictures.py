"""Pictures from files and arrays: whatever they were, they become uint8 RGB."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from mien.errors import ImageError
from mien.preprocess import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""The formats read, by Pillow's names; of an animation or a stack the first picture."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
"""The suffixes, in any case, by which a folder's pictures are known."""

MOST_PIXELS = 100_000_000
"""The largest picture that is decoded. More is taken for an attack: a few kilobytes of header can
claim gigabytes of pixels."""

WHITES = (255, 1023, 4095, 16383, 65535)
"""What white can be in a 16-bit picture, where its format does not say."""

BLOCK = 2**20
"""Values that are scaled at once."""

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

_filters = threading.Lock()


def read_picture(path: str | Path) -> Image:
    """Read a picture file, upright, transparency laid over white.

    Args:
        path: A JPEG, PNG, WebP, BMP, TIFF or GIF: grey, colour, palette, CMYK, 8 or 16 bits.

    Returns:
        uint8 (H, W, 3) in RGB order, which may be written to.

    Raises:
        ImageError: If the file is missing, not a picture, damaged or above `MOST_PIXELS`.
    """
    path = Path(path)
    _check_file(path)
    try:
        # By its path Pillow would map a TIFF into memory, and shear those that are to be turned.
        file = path.open("rb")
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {_reason(error)}.") from error
    with file:
        return decode_picture(file, str(path)).copy()


def decode_picture(content: IO[bytes], name: str, most_pixels: int = MOST_PIXELS) -> Image:
    """Decode a picture from an open stream, as `read_picture` does.

    Args:
        content: Where the bytes are.
        name: What errors call it.
        most_pixels: Of the largest picture that is decoded.

    Returns:
        uint8 (H, W, 3) in RGB order, which cannot be written to.

    Raises:
        ImageError: If it is not a picture, damaged or above `most_pixels`.
    """
    with _opened(content, name) as image:
        if image.width * image.height > most_pixels:
            raise _too_large(name, most_pixels)
        try:
            return _decoded(image)
        except Exception as error:  # Pillow's decoders raise whatever damaged data makes them raise
            raise ImageError(f"{name} is damaged or cut short: {_reason(error)}.") from error


def as_picture(array: NDArray[Any]) -> Image:
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
    return np.asarray(_flattened(PIL.Image.fromarray(array)))


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


def _opened(content: IO[bytes], name: str) -> PIL.Image.Image:
    try:
        # Pillow warns of large pictures on its own; the size is checked here instead.
        with _quiet():
            return PIL.Image.open(content, formats=FORMATS)
    except PIL.Image.DecompressionBombError:
        raise _too_large(name) from None
    except PIL.UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture mien reads ({', '.join(FORMATS)}).") from None
    except Exception as error:  # damaged headers, as above
        raise ImageError(f"{name} is damaged or cut short: {_reason(error)}.") from error


@contextmanager
def _quiet() -> Iterator[None]:
    # The filters of warnings belong to the whole process, so one thread at a time.
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _too_large(name: str, most_pixels: int = MOST_PIXELS) -> ImageError:
    return ImageError(f"{name} has more than {most_pixels / 1_000_000:g} megapixels.")


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def _decoded(image: PIL.Image.Image) -> Image:
    image.load()
    turn = TURNS.get(_orientation(image))
    if image.mode.startswith("I") or image.mode == "F":
        # PNG defines white; in other formats cameras store anything from 8 to 16 bits.
        white = WHITES[-1] if image.format == "PNG" else None
        image = PIL.Image.fromarray(_eight_bits(np.asarray(image), white))
    image = _flattened(image)
    return np.asarray(image if turn is None else image.transpose(turn))


def _orientation(image: PIL.Image.Image) -> int:
    try:
        with _quiet():
            return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF data says nothing; the pixels are still good
        return 1


def _eight_bits(values: NDArray[Any], white: float | None) -> Image:
    """Scale grey values of more than 8 bits to 0 to 255; None guesses white from the largest."""
    fraction = values.dtype.kind == "f"
    finite = np.nan_to_num(values, posinf=0.0, neginf=0.0) if fraction else values
    black = 0.0
    if white is None:
        black, white = _black_and_white(finite, fraction=fraction)
    flat, scaled = finite.reshape(-1), np.empty(finite.size, np.uint8)
    for start in range(0, flat.size, BLOCK):  # float64 of the whole would be eight times as much
        part = flat[start : start + BLOCK].astype(np.float64)
        scaled[start : start + BLOCK] = np.rint((part - black) * (255 / white))
    return scaled.reshape(values.shape)


def _black_and_white(values: NDArray[Any], *, fraction: bool) -> tuple[float, float]:
    """Return what is black, and how far white is from it, judged by the values that occur."""
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > WHITES[-1]:
        return low, high - low or 1.0
    if fraction and high <= 1:
        return 0.0, 1.0
    return 0.0, float(next(white for white in WHITES if high <= white))


def _flattened(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return a picture of 8 bits as RGB, laid over white where it is transparent."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = PIL.Image.new("RGBA", image.size, "white")
    return PIL.Image.alpha_composite(white, image).convert("RGB")
