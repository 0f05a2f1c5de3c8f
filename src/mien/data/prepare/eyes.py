"""Where the eyes of a face are, for detectors that do not say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from mien.inference.face import Box, Eyes, Face
from mien.preprocess import Image

CASCADE = "haarcascade_eye_tree_eyeglasses.xml"
"""In 96 faces that `haar` found in photos, tilted by -20 to 10 degrees and shrunk, it found 92
pairs of eyes, half of them within .03 of the face's width of YuNet's and all within .11;
`haarcascade_eye` found 90."""

WIDTH = 200
"""Width in pixels to which a face is brought."""

UPPER = 0.6
"""Share of the face's height in which eyes are looked for: mouths look like eyes to the cascade."""

SIDES = (28, 90)
"""Smallest and largest eye, of a face `WIDTH` wide."""

STEP, NEIGHBOURS = 1.05, 2

DISTANCES = (0.25, 0.5)
"""How far apart two eyes may be, over the face's width; .31 to .41 were found."""

STEEPEST = 30.0
"""Most degrees by which the line between the eyes may be tilted: `haar` finds no face beyond."""

USUAL = ((0.31, 0.41), (0.67, 0.41))
"""Where the eyes usually are, over the face's width from its top left corner."""


class EyeFinder:
    """Finds the eyes of faces; not for two threads at once."""

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / CASCADE))

    def find(self, picture: Image, face: Face) -> Eyes | None:
        """Return a face's eyes: those its detector told, or those found in the upper face.

        Args:
            picture: uint8 (H, W), grey.
            face: A face in it.

        Returns:
            The right eye and the left; None if they are not found or cannot be a pair.
        """
        if face.eyes is not None:
            return face.eyes
        found = self._eyes(picture, face.box)
        pairs = [(a, b) for a in found for b in found if _is_pair(a, b)]
        if not pairs:
            return None
        best = min(pairs, key=lambda pair: sum(map(math.dist, pair, USUAL)))
        (right_x, right_y), (left_x, left_y) = best
        x, y, width = face.box.x, face.box.y, face.box.width
        right = (x + right_x * width, y + right_y * width)
        return right, (x + left_x * width, y + left_y * width)

    def _eyes(self, picture: Image, box: Box) -> list[tuple[float, float]]:
        """Return the middles of what looks like an eye, over the width of the face's box."""
        rows = slice(int(box.y), int(box.y + UPPER * box.height) + 1)
        upper = picture[rows, int(box.x) : int(box.x + box.width) + 1]
        scale = WIDTH / box.width
        upper = np.asarray(cv2.resize(upper, None, fx=scale, fy=scale), dtype=np.uint8)
        smallest, largest = ((side, side) for side in SIDES)
        boxes: Iterable[tuple[int, int, int, int]] = self._cascade.detectMultiScale(  # type: ignore[assignment]
            upper, STEP, NEIGHBOURS, minSize=smallest, maxSize=largest
        )
        return [((x + w / 2) / WIDTH, (y + h / 2) / WIDTH) for x, y, w, h in boxes]


def _is_pair(right: tuple[float, float], left: tuple[float, float]) -> bool:
    near, far = DISTANCES
    return near <= math.dist(right, left) <= far and abs(tilt((right, left))) <= STEEPEST


def tilt(eyes: Eyes) -> float:
    """Return by how many degrees the line between the eyes falls to the right, -180 to 180."""
    (right_x, right_y), (left_x, left_y) = eyes
    return math.degrees(math.atan2(left_y - right_y, left_x - right_x))
