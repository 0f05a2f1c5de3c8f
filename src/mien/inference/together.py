"""Reading several pictures at once: their faces are classified as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from mien.inference.analyzer import Analyzer
from mien.inference.detectors import Detector
from mien.inference.face import Face, Reading, by_size
from mien.preprocess import Image


@dataclass(frozen=True)
class FoundFaces:
    """The faces of a picture, cut out and not classified yet; the picture itself can go.

    Args:
        size: The picture's width and height in pixels.
        faces: The faces, the largest first.
        crops: uint8 (size, size) for each face, grey, as the classifier sees it.
    """

    size: tuple[int, int]
    faces: Sequence[Face]
    crops: Sequence[Image]


def find_faces(analyzer: Analyzer, detector: Detector, picture: Image) -> FoundFaces:
    """Find the faces of a picture that is uint8 (H, W, 3) in RGB order, and cut them out."""
    faces = by_size(detector.detect(picture))
    preprocess = analyzer.classifier.card.preprocess
    crops = [preprocess.crop(picture, face.square) for face in faces]
    height, width = picture.shape[:2]
    return FoundFaces((width, height), faces, crops)


def classify_together(analyzer: Analyzer, found: Sequence[FoundFaces]) -> list[list[Reading]]:
    """Return the readings of each picture's faces, the largest first, as `Analyzer.analyze` does.

    Args:
        analyzer: Classifies the faces; several threads may use it.
        found: The faces of each picture, cut out for this analyzer.
    """
    crops = [crop for one in found for crop in one.crops]
    if not crops:
        return [[] for _ in found]
    said = analyzer.classifier.judge(np.stack(crops))
    rows = count()
    return [
        [analyzer.reading(said, next(rows), index, face) for index, face in enumerate(one.faces)]
        for one in found
    ]
