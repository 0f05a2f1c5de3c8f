"""Giving the faces of successive frames the number of the person they belong to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from mien.inference.face import Box, Face, size_order
from mien.inference.tracking.motion import Motion
from mien.preprocess import Square

MEMORY = 1.5
"""Seconds for which a face that is not seen is waited for; then it is somebody else's."""

REACH = 0.8
"""How far from where it was expected a face may be, in face widths, when it was just seen."""

DRIFT = 1.5
"""By how many widths that distance grows in a second in which the face is not seen."""

GROWTH = 2.0
"""How many times as wide as expected, or as narrow, a face may be."""

PART = 0.5
"""A face may also be the part that shows of a hidden one, or the whole of one that was a part: then
this share of the smaller box lies in the larger one, whatever their sizes."""

JUMP = 2.0
"""A face seen at the last look is another one if it is so many times as wide and as high as then,
or as narrow and as low: nobody comes so much nearer at once, but a film is cut. What slips behind
something, or out of the frame, loses width or height alone."""

AT_ONCE = 0.2
"""Seconds between two looks up to which that is said: in more, somebody may come nearer."""

FAR = 1e6
"""The cost of a pair that may not be."""


@dataclass(frozen=True)
class TrackedFace:
    """A face of a frame and whose it is.

    Args:
        track: Number of the person, from 1 in the order of appearance.
        face: Where the face is.
        detected: Whether the detector found it here; otherwise it was followed to here.
    """

    track: int
    face: Face
    detected: bool = True


@dataclass
class _Track:
    number: int
    face: Face
    motion: Motion
    seen: float
    present: bool = True


class Tracker:
    """Follows faces by how they move: a Kalman filter each, and the cheapest assignment.

    A face keeps its number through short occlusions and misses of the detector. Times may be
    any distance apart, as those of a video with a variable frame rate are.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._count = 0

    @property
    def present(self) -> list[Face]:
        """The faces that were there when the detector last looked."""
        return [track.face for track in self._tracks if track.present]

    def update(
        self, faces: Sequence[Face], time: float, size: tuple[int, int]
    ) -> list[TrackedFace]:
        """Take in what the detector found in a frame.

        Args:
            faces: The faces.
            time: The frame's time in seconds, not before that of the last call.
            size: Width and height of the frame in pixels.

        Returns:
            The faces in their order, each with its number.
        """
        self._move(time, size)
        owners = self._owners(faces, time)
        for track in self._tracks:
            track.present = False
        return [self._see(owner, face, time) for owner, face in zip(owners, faces, strict=True)]

    def follow(self, time: float, size: tuple[int, int]) -> list[TrackedFace]:
        """Return where the faces present must be by now, in a frame nobody looked at.

        Returns:
            The faces, largest first, each with its number.
        """
        self._move(time, size)
        moved = [(t.number, _moved(t, size)) for t in self._tracks if t.present]
        found = [TrackedFace(number, face, detected=False) for number, face in moved if face]
        return sorted(found, key=lambda tracked: size_order(tracked.face))

    def _move(self, time: float, size: tuple[int, int]) -> None:
        for track in self._tracks:
            track.motion = track.motion.at(time)
        self._tracks = [
            track
            for track in self._tracks
            if time - track.seen <= MEMORY and (track.present or _inside(track.motion, size))
        ]

    def _owners(self, faces: Sequence[Face], time: float) -> list[_Track | None]:
        owners: list[_Track | None] = [None] * len(faces)
        if not faces or not self._tracks:
            return owners
        costs = np.array([[_cost(t, face.box, time) for face in faces] for t in self._tracks])
        for row, column in zip(*linear_sum_assignment(costs), strict=True):
            if costs[row, column] < FAR:
                owners[column] = self._tracks[row]
        return owners

    def _see(self, owner: _Track | None, face: Face, time: float) -> TrackedFace:
        if owner is None:
            self._count += 1
            owner = _Track(self._count, face, Motion.begin(face.box, time), time)
            self._tracks.append(owner)
        else:
            owner.motion = owner.motion.seen(face.box)
            owner.face, owner.seen, owner.present = face, time, True
        return TrackedFace(owner.number, face)


def _cost(track: _Track, box: Box, time: float) -> float:
    if track.present and time - track.seen <= AT_ONCE and _jumps(track.face.box, box):
        return FAR
    expected = track.motion.box
    x, y = track.motion.centre
    distance = math.hypot(box.x + box.width / 2 - x, box.y + box.height / 2 - y) / expected.width
    growth = abs(math.log(box.width / expected.width))
    near = distance <= REACH + DRIFT * (time - track.seen) and growth <= math.log(GROWTH)
    part = box.overlap(expected) >= PART * min(box.area, expected.area)
    return distance + growth if near or part else FAR


def _jumps(before: Box, after: Box) -> bool:
    wider, higher = after.width / before.width, after.height / before.height
    return min(wider, higher) >= JUMP or max(wider, higher) <= 1 / JUMP


def _inside(motion: Motion, size: tuple[int, int]) -> bool:
    x, y = motion.centre
    return 0 <= x < size[0] and 0 <= y < size[1]


def _moved(track: _Track, size: tuple[int, int]) -> Face | None:
    """Return a face where its motion has taken it, cut at the frame's edges; None if outside."""
    old, new = track.face.box, track.motion.box
    inside = new.clipped(*size)
    if inside is None:
        return None
    factor = new.width / old.width
    square = Square(
        x=new.x + (track.face.square.x - old.x) * factor,
        y=new.y + (track.face.square.y - old.y) * factor,
        side=track.face.square.side * factor,
    )
    return replace(track.face, box=inside, square=square, eyes=None, nose_and_mouth=None)
