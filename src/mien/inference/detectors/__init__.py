"""Face detectors: one per file, found by name in `DETECTORS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from mien.inference.face import Box, Face
from mien.preprocess import Image, Square
from mien.registry import Registry


class Detector(Protocol):
    """Finds faces. One object may be called from several threads at once."""

    def detect(self, picture: Image) -> list[Face]:
        """Return the faces of a picture, in any order.

        Args:
            picture: uint8 (H, W, 3) RGB or (H, W) grey, of any size from 1x1.

        Returns:
            Faces whose boxes lie inside the picture; empty where there is none.
        """
        ...


DETECTORS: Registry[Callable[[Path | None], Detector]] = Registry(
    "detector", "mien.inference.detectors"
)
"""By name, what makes a detector out of the path of its weights (None for its usual ones)."""


@dataclass(frozen=True)
class Framing:
    """How a detector's box becomes the square that the classifier was trained to see.

    Both figures are measured on FER2013 by `benchmarks/framing.py`. They are relative to a box's
    width, which varies less around a face than its height: the chin is harder to find than the
    cheeks.

    Args:
        scale: Side of the square over the width of the box.
        shift: How far the square's centre lies below the box's, over the width of the box.
    """

    scale: float
    shift: float

    def square(self, box: Box) -> Square:
        """Return the square for a box; it may reach beyond the picture."""
        side = self.scale * box.width
        x = box.x + box.width / 2 - side / 2
        y = box.y + box.height / 2 + self.shift * box.width - side / 2
        return Square(x=x, y=y, side=side)

    def face(self, box: Box, score: float, picture: Image) -> Face | None:
        """Return the face for a detection, its box cut at the picture's edges; None if outside."""
        height, width = picture.shape[:2]
        inside = box.clipped(width, height)
        return None if inside is None else Face(inside, score, self.square(box))


def shrunk(picture: Image, side: int) -> tuple[Image, float]:
    """Shrink a picture whose longer side is above `side` pixels.

    Returns:
        The picture, and the factor that takes its pixels to those of the original, 1 or more.
    """
    factor = max(picture.shape[:2]) / side
    if factor <= 1:
        return picture, 1.0
    height, width = (max(1, round(edge / factor)) for edge in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), factor


def distinct(faces: Iterable[Face], iou: float = 0.3, inside: float = 0.7) -> list[Face]:
    """Keep one detection per face: of overlapping and nested boxes the one with the best score.

    Args:
        faces: Detections of one picture.
        iou: Two boxes whose intersection over union is above this are the same face.
        inside: Two boxes are the same face when more than this share of the smaller is shared.
    """
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: (-f.score, f.box.x, f.box.y)):
        if not any(_same(face.box, other.box, iou, inside) for other in kept):
            kept.append(face)
    return kept


def _same(one: Box, other: Box, iou: float, inside: float) -> bool:
    shared = one.overlap(other)
    union = one.area + other.area - shared
    return shared > iou * union or shared > inside * min(one.area, other.area)
