"""Where the five landmarks of a face are in its crop, and where they usually are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.inference.detectors import Detector
from mien.inference.face import Landmarks, by_size
from mien.preprocess import Image, Square

Points = NDArray[np.float64]
"""float64 (5, 2): x and y of five landmarks over the side of the crop, in the order of
`mien.inference.face.Landmarks`; (0, 0) is the crop's top left corner, (1, 1) its bottom right."""

CANONICAL: Points = (
    np.array([(15.25, 18.3), (32.75, 18.3), (24, 28.6), (16.8, 36.1), (31.2, 36.1)]) / 48
)
"""Medians of what YuNet finds, made symmetric: in 567 of 600 FER2013 test faces, quartiles 3 to 4
pixels of 48 apart, and in all of 327 of CK+48's, whose medians are within .8 pixels of these."""

RIM = 1 / 3
"""How much is put around a crop before faces are looked for in it, over its side: detectors miss
faces that fill the picture."""

ENLARGED = 320
"""Side in pixels to which a crop with its rim is brought before faces are looked for in it."""


def in_crop(landmarks: Landmarks, square: Square) -> Points:
    """Return a picture's landmarks as places in the crop of a square."""
    return (np.array(landmarks) - (square.x, square.y)) / square.side


def find_landmarks(crop: Image, detector: Detector) -> Points | None:
    """Return the landmarks of the largest face a detector finds in a crop.

    Args:
        crop: uint8 (S, S), grey.
        detector: Of the detectors "yunet" knows landmarks.

    Returns:
        None where it finds no face or does not tell its landmarks.
    """
    side = len(crop)
    rim = round(RIM * side)
    padded = cv2.copyMakeBorder(crop, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    scale = ENLARGED / len(padded)
    size = (ENLARGED, ENLARGED)
    picture = np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    square = Square(x=rim * scale, y=rim * scale, side=side * scale)
    faces = by_size(detector.detect(picture))
    known = (in_crop(face.landmarks, square) for face in faces if face.landmarks)
    return next(known, None)


def median_landmarks(found: Iterable[Points | None]) -> Points | None:
    """Return the median place of each landmark over the faces where they are known."""
    known: Sequence[Points] = [points for points in found if points is not None]
    return np.median(known, axis=0) if known else None
