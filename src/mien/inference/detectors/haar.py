"""Viola and Jones' detector with a cascade that OpenCV carries: no weights, no network."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.inference.detectors import DETECTORS, Framing, distinct, shrunk
from mien.inference.face import Box, Face
from mien.preprocess import Image, grey

CASCADE = "haarcascade_frontalface_alt2.xml"
"""Of OpenCV's three frontal cascades the one that found 215 of 300 FER2013 faces and nothing in
`no_face.mp4`; `default` finds as many but sees faces in its clouds and lettering."""

FRAMING = Framing(scale=1.027, shift=0.011)
"""Medians over 486 of 600 FER2013 PublicTest faces; quartiles .970 to 1.116, -.003 to .029."""

WORKING_SIDE = 960
"""Longer side in pixels to which larger pictures are shrunk."""

SMALLEST_SHARE = 1 / 24
"""Width of the smallest face looked for, over the picture's longer side."""

SMALLEST_SIDE = 24
"""Width in pixels of the smallest face looked for in the shrunk picture."""

STEP = 1.1
"""Ratio of successive window sizes; 1.05 doubles the time and the wrong detections."""

NEIGHBOURS = 3
"""How many overlapping windows must agree."""


@DETECTORS.register("haar")
class HaarDetector:
    """Finds upright, roughly frontal faces.

    A face's score is the sum of the votes in the cascade's last stage, about 54 to 58.

    Args:
        weights: A cascade as OpenCV XML; None for OpenCV's own.

    Raises:
        ModelError: If the cascade is missing or is none.
    """

    def __init__(self, weights: Path | None = None) -> None:
        self._cascade = _load(weights or Path(cv2.data.haarcascades) / CASCADE)
        self._equalise = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))
        # Neither OpenCV object may be used by two threads at once.
        self._lock = threading.Lock()

    def detect(self, picture: Image) -> list[Face]:
        """Return the faces of a picture, uint8 (H, W, 3) RGB or (H, W) grey."""
        image, factor = shrunk(grey(picture), WORKING_SIDE)
        with self._lock:
            boxes, scores = self._search(image)
        faces = (
            FRAMING.face(Box(*(float(edge) * factor for edge in box)), float(score), picture)
            for box, score in zip(boxes, scores, strict=True)
        )
        return distinct(face for face in faces if face)

    def _search(self, image: Image) -> tuple[NDArray[Any], NDArray[Any]]:
        smallest = max(SMALLEST_SIDE, round(SMALLEST_SHARE * max(image.shape)))
        boxes, _, scores = self._cascade.detectMultiScale3(
            self._equalise.apply(image),
            scaleFactor=STEP,
            minNeighbors=NEIGHBOURS,
            minSize=(smallest, smallest),
            outputRejectLevels=True,
        )
        return np.reshape(boxes, (-1, 4)), np.ravel(scores)


def _load(path: Path) -> cv2.CascadeClassifier:
    if not path.is_file():
        raise ModelError(f"The cascade {path} does not exist.")
    cascade = cv2.CascadeClassifier()
    if not _read(cascade, path):
        raise ModelError(f"{path} is not a cascade for the detector 'haar' (OpenCV XML).")
    return cascade


def _read(cascade: cv2.CascadeClassifier, path: Path) -> bool:
    mode = cv2.FileStorage_READ | cv2.FileStorage_MEMORY
    try:
        # On Windows OpenCV itself opens no path with letters beyond the system's own. From text
        # it reads no cascades as they were before 2013.
        storage = cv2.FileStorage(path.read_text(encoding="utf-8"), mode)
        return cascade.read(storage.getFirstTopLevelNode()) or cascade.load(str(path))
    except (cv2.error, SystemError, OSError, ValueError):
        return False
