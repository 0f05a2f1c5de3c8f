"""What detectors find in scenes, and the crops that different framings cut of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from crop_parity_scenes import Scene
from numpy.typing import NDArray

from mien.data.prepare.eyes import tilt
from mien.data.prepare.level import levelled
from mien.inference.detectors import Detector, Framing
from mien.inference.face import Box, Face
from mien.preprocess import Image, Preprocess, Square

LEAST_OVERLAP = 0.25
"""Intersection over union of box and pasted crop from which on the face is found: Haar's boxes are
about as wide as the crop, YuNet's three quarters; what is seen in the background lies elsewhere."""


@dataclass(frozen=True)
class Cut:
    """A way of getting from a detector's box to a crop.

    Args:
        framing: From the box to the square.
        level: The face is rotated to level eyes if they are tilted by more degrees than this; None
            never rotates.
    """

    framing: Framing
    level: float | None = None

    def crop(self, picture: Image, face: Face, shipped: Framing, preprocess: Preprocess) -> Image:
        """Return the crop, uint8 (size, size), of a face that was framed as shipped."""
        turn = self._turn(face)
        square = _moved(face.square, shipped, self.framing, turn)
        if not turn:
            return preprocess.crop(picture, square)
        region = levelled(picture, square, turn)
        return preprocess.crop(region, Square(x=0, y=0, side=len(region)))

    def _turn(self, face: Face) -> float:
        if self.level is None or face.eyes is None:
            return 0.0
        degrees = tilt(face.eyes)
        return degrees if abs(degrees) > self.level else 0.0


def _moved(square: Square, shipped: Framing, framing: Framing, turn: float) -> Square:
    """Return the square of another framing; its shift runs down the face, which is turned."""
    width = square.side / shipped.scale
    middle = (square.x + square.side / 2, square.y + square.side / 2 - shipped.shift * width)
    side, down = framing.scale * width, framing.shift * width
    x, y = middle[0] - down * sin(radians(turn)), middle[1] + down * cos(radians(turn))
    return Square(x=x - side / 2, y=y - side / 2, side=side)


@dataclass(frozen=True)
class Look:
    """What a detector made of N scenes.

    Args:
        found: bool (N,).
        crops: uint8 (cuts, F, size, size) of the F faces found, in their order.
    """

    found: NDArray[np.bool_]
    crops: Image


@dataclass(frozen=True)
class Looker:
    """A detector, its framing as shipped, and the cuts that are compared."""

    detector: Detector
    shipped: Framing
    cuts: Sequence[Cut]

    def crops(self, scene: Scene, preprocess: Preprocess) -> Image | None:
        """Return uint8 (cuts, size, size); None where the face is not found."""
        faces = [f for f in self.detector.detect(scene.picture) if _fits(f.box, scene.place)]
        if not faces:
            return None
        face = max(faces, key=lambda face: face.score)
        cuts = (c.crop(scene.picture, face, self.shipped, preprocess) for c in self.cuts)
        return np.stack(list(cuts))


def looks(
    lookers: Mapping[str, Looker],
    scenes: Iterable[Scene],
    preprocess: Preprocess,
    step: Callable[[], None],
) -> dict[str, Look]:
    """Let detectors look at scenes.

    Args:
        lookers: By name.
        scenes: N pictures; each is made once and kept no longer than needed.
        preprocess: How the classifier wants its crops.
        step: Called after each scene.
    """
    seen: dict[str, list[Image | None]] = {name: [] for name in lookers}
    for scene in scenes:
        for name, looker in lookers.items():
            seen[name].append(looker.crops(scene, preprocess))
        step()
    size = preprocess.size
    return {name: _look(seen[name], len(looker.cuts), size) for name, looker in lookers.items()}


def _look(seen: Sequence[Image | None], cuts: int, size: int) -> Look:
    found = [crops for crops in seen if crops is not None]
    crops = np.stack(found, axis=1) if found else np.empty((cuts, 0, size, size), np.uint8)
    return Look(np.array([crops is not None for crops in seen]), crops)


def _fits(box: Box, place: Box) -> bool:
    shared = box.overlap(place)
    return shared >= LEAST_OVERLAP * (box.area + place.area - shared)
