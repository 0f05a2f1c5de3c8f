"""Reading several pictures at once: their faces are classified as one batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mien.inference.analyzer import Analyzer
from mien.inference.detectors import Detector
from mien.inference.face import Face, Reading, by_size
from mien.preprocess import Image


def read_together(
    analyzer: Analyzer, detector: Detector, pictures: Sequence[Image]
) -> list[list[Reading]]:
    """Return the readings of each picture's faces, the largest first, as `Analyzer.analyze` does.

    Args:
        analyzer: Classifies the faces; several threads may use it.
        detector: Finds them.
        pictures: uint8 (H, W, 3) in RGB order, of any sizes.
    """
    faces = [by_size(detector.detect(picture)) for picture in pictures]
    preprocess = analyzer.classifier.card.preprocess
    crops = [
        preprocess.crop(picture, face.square)
        for picture, found in zip(pictures, faces)
        for face in found
    ]
    if not crops:
        return [[] for _ in pictures]
    rows = iter(analyzer.classifier.classify(np.stack(crops)).tolist())
    return [_readings(analyzer, found, rows) for found in faces]


def _readings(
    analyzer: Analyzer, faces: Sequence[Face], rows: Iterator[list[float]]
) -> list[Reading]:
    own = analyzer.own_labels
    readings = (Reading(None, i, face, own, tuple(next(rows))) for i, face in enumerate(faces))
    return [analyzer.wanted(reading) for reading in readings]
