"""Probabilities smoothed over time, by the frames' timestamps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError

FAR = 3.0
"""How many time constants away a frame still counts."""


def check_seconds(seconds: float) -> None:
    """Check the time constant of a smoothing.

    Raises:
        MienError: If it is not above 0.
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise MienError(f"The seconds of a smoothing must be above 0. Got {seconds:g} instead.")


def centred(
    times: NDArray[np.float64],
    probabilities: NDArray[np.float64],
    seconds: float,
    counted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return means weighted by a Gaussian in time, which shift no event.

    Args:
        times: (N,), not decreasing, in seconds.
        probabilities: (N, E).
        seconds: The Gaussian's standard deviation.
        counted: (N,), the rows that are smoothed; the others stay as they are, and no mean holds
            them.

    Returns:
        float64 (N, E); rows that sum to 1 still do.
    """
    check_seconds(seconds)
    smooth = probabilities.astype(np.float64)
    smooth[counted] = _means(times[counted], smooth[counted], seconds)
    return smooth


def _means(
    times: NDArray[np.float64], probabilities: NDArray[np.float64], seconds: float
) -> NDArray[np.float64]:
    weights = np.ones(len(times))
    total = probabilities.copy()
    for step in range(1, len(times)):
        distance = times[step:] - times[:-step]
        if distance.min() > FAR * seconds:
            break
        weight = np.exp(-0.5 * (distance / seconds) ** 2) * (distance <= FAR * seconds)
        total[step:] += weight[:, None] * probabilities[:-step]
        total[:-step] += weight[:, None] * probabilities[step:]
        weights[step:] += weight
        weights[:-step] += weight
    return np.asarray(total / weights[:, None])


class Causal:
    """Smooths as the frames come: an exponential mean in time of each person.

    Args:
        seconds: After so long an old value counts for 1/e of its weight.

    Raises:
        MienError: If `seconds` is not above 0.
    """

    def __init__(self, seconds: float) -> None:
        check_seconds(seconds)
        self._seconds = seconds
        self._last: dict[int, tuple[float, NDArray[np.float64]]] = {}

    def __call__(
        self, track: int, time: float, probabilities: tuple[float, ...], *, counted: bool
    ) -> tuple[float, ...]:
        """Return a person's smoothed probabilities, given those of the latest frame.

        Those that are not counted are returned as they are, and no later mean holds them.
        """
        if not counted:
            return probabilities
        new = np.array(probabilities)
        if track in self._last:
            before, old = self._last[track]
            share = -math.expm1(-max(0.0, time - before) / self._seconds)
            new = old + share * (new - old)
        self._last[track] = time, new
        self._forget(time)
        return tuple(new.tolist())

    def _forget(self, time: float) -> None:
        # Who has been away for ten time constants starts afresh anyway.
        longest = 10 * self._seconds
        self._last = {t: seen for t, seen in self._last.items() if time - seen[0] <= longest}
