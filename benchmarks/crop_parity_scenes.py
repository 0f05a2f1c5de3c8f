"""Pictures that hold one face at a known place: dataset crops in larger backgrounds.

The crops of the datasets fill their image, but a detector must find a face in something larger. No
photograph of the surroundings exists, so they are made: a smooth gradient, a noise texture, or the
crop itself mirrored outwards and strongly blurred. A crop pasted as it is would stand in a frame
of hard edges, which no photograph has and at which detectors stumble. So the crop's own pixels go
on, mirrored at its rim, and fade into the background outside of it; inside nothing is touched, and
what the detectors are judged by is exactly the dataset's crop.

What lies beyond the crop is therefore never a real forehead or chin: squares much larger than the
crop are shown more made surroundings than a photo would hold, and look worse than they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.inference.face import Box
from mien.preprocess import Image

WIDTH, HEIGHT = 480, 360
"""Size of the pictures in pixels; neither detector shrinks them."""

SIZES = (48, 96, 192, 288)
"""Sides of the pasted crop in pixels."""

TILTS = (15, 30)
"""Degrees by which faces are turned, every other clockwise."""

BAND = 0.3
"""Over the crop's side, how far outside of it its mirrored rim fades into the background."""

ROOM = 0.6
"""Over the crop's side, how far its middle stays from the picture's edges, at least."""

Plane = NDArray[np.float32]
"""Grey values of a whole picture, float32 (HEIGHT, WIDTH)."""

Background = Callable[[np.random.Generator, Plane, int], Plane]
"""Makes a background from a random generator, the mirrored crop and the crop's side."""


@dataclass(frozen=True)
class Scene:
    """A picture with one face.

    Args:
        picture: uint8 (HEIGHT, WIDTH), grey.
        place: Where the crop was pasted; turned about its middle by `angle`.
        angle: Degrees, clockwise.
    """

    picture: Image
    place: Box
    angle: float = 0.0


def scene(crop: Image, number: int, side: int, angle: float = 0.0) -> Scene:
    """Paste a crop, uint8 (S, S), into a background; the same arguments give the same picture.

    Args:
        crop: The face.
        number: Of the face; it decides on background and place.
        side: Of the pasted crop in pixels.
        angle: By how many degrees it is turned, clockwise.
    """
    random = np.random.default_rng([number, side])
    middle = [random.uniform(ROOM * side, edge - ROOM * side) for edge in (WIDTH, HEIGHT)]
    across = _turned(len(crop), side, middle, angle)
    # One interpolation, whatever size and angle; beyond its rim the crop is mirrored.
    flags = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REFLECT_101}
    mirrored = cv2.warpAffine(crop, across, (WIDTH, HEIGHT), **flags).astype(np.float32)
    make = list(BACKGROUNDS.values())[number % len(BACKGROUNDS)]
    share = _share(across, len(crop))
    blended = share * mirrored + (1 - share) * make(random, mirrored, side)
    picture = np.clip(np.rint(blended), 0, 255).astype(np.uint8)
    place = Box(middle[0] - side / 2, middle[1] - side / 2, side, side)
    return Scene(picture, place, angle)


def _turned(pixels: int, side: int, middle: list[float], angle: float) -> NDArray[np.float64]:
    """Return the affine map (2, 3) from a crop's pixels to the picture's."""
    centre = (pixels - 1) / 2
    # OpenCV's angles run anticlockwise, and its places count from the middle of a pixel.
    across = cv2.getRotationMatrix2D((centre, centre), -angle, side / pixels)
    across[:, 2] += np.array(middle) - 0.5 - centre
    return across


def _share(across: NDArray[np.float64], pixels: int) -> Plane:
    """Return the crop's part in each pixel: 1 inside of it, falling to 0 over the band."""
    back = cv2.invertAffineTransform(across).astype(np.float32)
    columns, rows = np.meshgrid(*(np.arange(edge, dtype=np.float32) for edge in (WIDTH, HEIGHT)))
    centre = (pixels - 1) / 2
    offsets = [np.abs(a * columns + b * rows + c - centre) for a, b, c in back]
    beyond = (np.maximum(*offsets) - pixels / 2) / (BAND * pixels)
    fading = np.clip(beyond, 0, 1)
    return 0.5 + 0.5 * np.cos(math.pi * fading)


def _gradient(random: np.random.Generator, mirrored: Plane, side: int) -> Plane:
    return _smooth(random.uniform(30, 225, (2, 2)))


def _noise(random: np.random.Generator, mirrored: Plane, side: int) -> Plane:
    total = _smooth(random.uniform(60, 195, (2, 2)))
    for cells, strength in ((6, 40), (24, 25), (96, 15)):
        shape = (cells * HEIGHT // WIDTH, cells)
        total += _smooth(random.normal(0, strength, shape))
    return total


def _mirror(random: np.random.Generator, mirrored: Plane, side: int) -> Plane:
    # Less blurred, the mirror images would be faces, too.
    small = cv2.resize(mirrored, (WIDTH // 4, HEIGHT // 4), interpolation=cv2.INTER_AREA)
    return _smooth(cv2.GaussianBlur(small, (0, 0), side / 24))


def _smooth(values: NDArray[np.floating]) -> Plane:
    shape = (WIDTH, HEIGHT)
    enlarged = cv2.resize(values.astype(np.float32), shape, interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, dtype=np.float32)


BACKGROUNDS: dict[str, Background] = {"gradient": _gradient, "noise": _noise, "mirror": _mirror}
