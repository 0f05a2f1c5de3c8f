"""Finding and following the faces of successive frames with as little work as finds them all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mien.errors import MienError
from mien.inference.detectors import Detector
from mien.inference.face import Box, Face, Point, by_size
from mien.inference.tracking.tracker import TrackedFace, Tracker
from mien.inference.video.frame import Frame, Place
from mien.inference.video.tracking_clock import TrackingClock
from mien.preprocess import Image, Square

KNOWN_WIDTH = 48
"""Pixels to which the smallest face that is followed is shrunk before the detector looks again.
Boxes of a moving face then overlap those of thorough searches by .95 (haar) and .92 (yunet) on
average, .88 and .86 at least; from 40 pixels down they are up to 7 % wider. On `single_face.mp4`
probabilities differ by .001 to .004 (total variation, mean over frames); no expression changes."""

GRID = 32
"""The longer side of a shrunk frame is a multiple of this, as YuNet's coarsest map needs it."""

LEAST_SIDE = 160
"""Longer side in pixels below which no frame is shrunk: faces that come in need some pixels too."""

LEAST_SECONDS = 1e-3
"""Seconds between two thorough searches, at least: there is hardly a frame between them."""

EMPTY_SIDE = 320
"""Longer side in pixels of frames in which no face is followed, between two thorough searches."""


@dataclass(frozen=True)
class Search:
    """How often a detector looks, and how closely.

    A thorough search sees a frame as a photo would be seen. Between two of them frames are shrunk
    to what the faces that are already known need; whenever fewer are then found than in the frame
    before, the search is thorough.

    Args:
        every: The detector looks at every so many of the frames that are read; between them, faces
            are followed by their motion.
        thorough: Seconds between two thorough searches, `LEAST_SECONDS` or more; 0 for every one.

    Raises:
        MienError: If `every` is below 1, or `thorough` neither 0 nor so much.
    """

    every: int = 1
    thorough: float = 1.0

    def __post_init__(self) -> None:
        if self.every < 1:
            raise MienError(
                f"Detection on every n-th frame: n must be 1 or more. Got {self.every}."
            )
        if self.thorough != 0 and not self.thorough >= LEAST_SECONDS:
            raise MienError(
                f"The seconds between thorough searches must be 0, or {LEAST_SECONDS:g} or more. "
                f"Got {self.thorough:g} instead."
            )


class FaceFinder:
    """Finds the faces of a video's frames, one frame after the other.

    Args:
        detector: Used by this finder alone.
        search: How often and how closely it looks.
        live: Whether frames may be missing, as those of a camera that is lost for a while.
    """

    def __init__(self, detector: Detector, search: Search, *, live: bool = False) -> None:
        self._detector = detector
        self._search = search
        self._tracker = Tracker()
        self._clock = TrackingClock(search.every)
        self._live = live
        self._damaged = 0
        self._frames = 0
        self._turn: int | None = None

    def find(self, frame: Frame) -> list[TrackedFace]:
        """Return the faces of the next frame, each with the number of its person, largest first."""
        looks, thorough = self._next(frame.place.time)
        time = self._time(frame.place)
        if not looks:
            return self._tracker.follow(time, frame.size)
        return self._tracker.update(by_size(self._detect(frame, thorough)), time, frame.size)

    def replay(self, place: Place, size: tuple[int, int], faces: list[Face]) -> None:
        """Take in what `find` found in a frame earlier, so that numbers carry on from there."""
        looks, _ = self._next(place.time)
        time = self._time(place)
        if looks:
            self._tracker.update(faces, time, size)
        else:
            self._tracker.follow(time, size)

    def _time(self, place: Place) -> float:
        """Return the time by which faces are followed at the next frame."""
        held = not self._live and place.damaged == self._damaged
        self._damaged = place.damaged
        return self._clock.at(place.time, held=held)

    def _next(self, time: float) -> tuple[bool, bool]:
        """Return whether the detector looks at the next frame, and whether thoroughly."""
        looks = self._frames % self._search.every == 0
        self._frames += 1
        if not looks or not self._search.thorough:
            return looks, True
        previous, self._turn = self._turn, math.floor(time / self._search.thorough)
        return True, previous != self._turn

    def _detect(self, frame: Frame, thorough: bool) -> list[Face]:
        if not thorough:
            found = self._glance(frame)
            if len(found) >= len(self._tracker.present):
                return found
        return self._detector.detect(frame.picture)

    def _glance(self, frame: Frame) -> list[Face]:
        widths = [face.box.width for face in self._tracker.present]
        side = EMPTY_SIDE
        if widths:
            needed = KNOWN_WIDTH * max(frame.size) / min(widths)
            side = max(LEAST_SIDE, GRID * math.ceil(needed / GRID))
        picture, factor = _reduced(frame.picture, side)
        faces = (_enlarged(face, factor, frame.size) for face in self._detector.detect(picture))
        return [face for face in faces if face]


def _reduced(picture: Image, side: int) -> tuple[Image, float]:
    """Shrink a picture as `shrunk` does, in a sixth of the time: by halves, then by the rest."""
    longest = max(picture.shape[:2])
    while max(picture.shape[:2]) >= 2 * side:
        halves = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
        picture = np.asarray(cv2.resize(picture, halves, interpolation=cv2.INTER_AREA), np.uint8)
    rest = max(1.0, max(picture.shape[:2]) / side)
    height, width = (max(1, round(edge / rest)) for edge in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(small, dtype=np.uint8), longest / max(small.shape[:2])


def _enlarged(face: Face, factor: float, size: tuple[int, int]) -> Face | None:
    """Return a face of a shrunk frame in the pixels of the frame itself; None if outside it."""
    box, square = face.box, face.square
    whole = Box(*(edge * factor for edge in (box.x, box.y, box.width, box.height)))
    inside = whole.clipped(*size)
    if inside is None:
        return None
    grown = Square(x=square.x * factor, y=square.y * factor, side=square.side * factor)
    eyes, others = face.eyes, face.nose_and_mouth
    return replace(
        face,
        box=inside,
        square=grown,
        eyes=eyes and (_times(eyes[0], factor), _times(eyes[1], factor)),
        nose_and_mouth=others
        and (_times(others[0], factor), _times(others[1], factor), _times(others[2], factor)),
    )


def _times(point: Point, factor: float) -> Point:
    return point[0] * factor, point[1] * factor
