"""A Kalman filter for a face: where it is, how large, and how both change (Kalman, 1960)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.inference.face import Box

BOX_NOISE = 0.06
"""Standard deviation of a detector's box, centre and width, over the face's width. Haar's varies by
about this much on a face that rests."""

ACCELERATION = 4.0
"""Standard deviation of a face's acceleration, in widths per second squared."""

SPEED = 2.0
"""Standard deviation of a new face's speed, in widths per second."""

GROWTH = 0.5
"""Standard deviation of the width's logarithm after a second. It wanders and has no speed: a face
that comes out from behind something does not go on growing."""

HIDING = 0.1
"""By how much the width's logarithm falls when that is as surprising as the usual noise. The box of
a face that slips behind something shrinks to the rest, whose middle is not the face's: its noise
grows with the square. A box that grows shows the face."""


@dataclass(frozen=True)
class Motion:
    """Where a face is believed to be at a time; each of its three coordinates on its own.

    The coordinates are the centre's x and y in pixels and the logarithm of the width. The height
    follows the width in the proportion last seen.

    Args:
        time: In seconds.
        state: float64 (3, 2), the coordinates and their change per second.
        spread: float64 (3, 2, 2), the covariance of each coordinate and its change.
        proportion: Height over width.
    """

    time: float
    state: NDArray[np.float64]
    spread: NDArray[np.float64]
    proportion: float

    @classmethod
    def begin(cls, box: Box, time: float) -> Motion:
        """Return the motion of a face that is seen for the first time."""
        spread = np.zeros((3, 2, 2))
        spread[:, 0, 0] = _box_noise(box.width) ** 2
        spread[:2, 1, 1] = (SPEED * box.width) ** 2
        state = np.stack([_coordinates(box), np.zeros(3)], axis=1)
        return cls(time, state, spread, box.height / box.width)

    def at(self, time: float) -> Motion:
        """Return what is believed of a later time, without having seen the face again."""
        step = max(0.0, time - self.time)
        moves = np.array([[1.0, step], [0.0, 1.0]])
        spread = moves @ self.spread @ moves.T
        pushes = np.array([[step**4 / 4, step**3 / 2], [step**3 / 2, step**2]])
        spread[:2] += (ACCELERATION * self.width) ** 2 * pushes
        spread[2, 0, 0] += GROWTH**2 * step
        return replace(self, time=max(time, self.time), state=self.state @ moves.T, spread=spread)

    def seen(self, box: Box) -> Motion:
        """Return what is believed once a detector has found the face here, at the same time."""
        error = _coordinates(box) - self.state[:, 0]
        hiding = min(0.0, float(error[2])) / HIDING
        variance = self.spread[:, 0, 0] + (_box_noise(self.width) * (1 + hiding**2)) ** 2
        gain = self.spread[:, :, 0] / variance[:, None]
        spread = self.spread - gain[:, :, None] * self.spread[:, None, 0, :]
        state = self.state + gain * error[:, None]
        return replace(self, state=state, spread=spread, proportion=box.height / box.width)

    @property
    def width(self) -> float:
        """The face's width in pixels."""
        return math.exp(self.state[2, 0])

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the face, (x, y) in pixels."""
        return float(self.state[0, 0]), float(self.state[1, 0])

    @property
    def box(self) -> Box:
        """Where the face is; it may reach beyond the picture."""
        width = self.width
        height = width * self.proportion
        x, y = self.centre
        return Box(x - width / 2, y - height / 2, width, height)


def _coordinates(box: Box) -> NDArray[np.float64]:
    return np.array([box.x + box.width / 2, box.y + box.height / 2, math.log(box.width)])


def _box_noise(width: float) -> NDArray[np.float64]:
    """Return the noise of each coordinate: in pixels, in pixels, and as a share of the width."""
    return BOX_NOISE * np.array([width, width, 1.0])
