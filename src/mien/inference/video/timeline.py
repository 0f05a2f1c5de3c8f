"""The expressions of one person over time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.inference.lines import Record

GAP = 3.0
"""A person counts as away when the time to their next row is more than so many usual steps."""


@dataclass(frozen=True)
class Timeline:
    """The rows of one person in one video, in the order of time.

    Args:
        source: The video.
        track: Number of the person.
        expressions: The columns of `probabilities`.
        frames: int64 (N,), the frames' numbers.
        times: float64 (N,), in seconds.
        damaged: int64 (N,), what `Place.damaged` says of each frame.
        boxes: float64 (N, 4), the faces' x, y, width and height in pixels.
        probabilities: float64 (N, E); the rows sum to 1.
    """

    source: str
    track: int
    expressions: tuple[str, ...]
    frames: NDArray[np.int64]
    times: NDArray[np.float64]
    damaged: NDArray[np.int64]
    boxes: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Seconds that each row lasts, float64 (N,): until the next one, unless away by then."""
        steps = np.diff(self.times)
        usual = float(np.median(steps)) if len(steps) else 0.0
        last = np.append(steps, usual)
        return np.where(last > GAP * usual, usual, last)

    @property
    def leading(self) -> NDArray[np.intp]:
        """The index of the most probable expression of each row, (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def stretches(self) -> list[slice]:
        """Return the rows between the person's absences, as slices."""
        away = self.times[1:] - self.times[:-1] > self.lengths[:-1] + 1e-9
        cuts = [0, *(np.flatnonzero(away) + 1).tolist(), len(self)]
        return [slice(a, b) for a, b in pairwise(cuts)]

    def with_probabilities(self, probabilities: NDArray[np.float64]) -> Timeline:
        """Return the same rows with other probabilities, such as smoothed ones."""
        return replace(self, probabilities=probabilities)


def timelines(records: Iterable[Record], expressions: tuple[str, ...]) -> list[Timeline]:
    """Gather the timeline of each person of each video from the records of a journal.

    Memory grows by 120 bytes per face and frame (for 8 expressions).

    Args:
        records: Frames and ends of videos; those of one video follow each other.
        expressions: The order of the records' probabilities.
    """
    columns: dict[tuple[str, int], _Columns] = {}
    for record in records:
        for face in record.get("faces", ()):
            person = (record["source"], face["track"])
            columns.setdefault(person, _Columns()).add(record, face)
    return [c.timeline(*person, expressions) for person, c in columns.items()]


class _Columns:
    def __init__(self) -> None:
        self._frames = array("q")
        self._damaged = array("q")
        self._times = array("d")
        self._boxes = array("d")
        self._probabilities = array("d")

    def add(self, record: Record, face: Record) -> None:
        self._frames.append(record["frame"])
        self._damaged.append(record["damaged"])
        self._times.append(record["time"])
        self._boxes.extend(face["box"])
        self._probabilities.extend(face["probabilities"])

    def timeline(self, source: str, track: int, expressions: tuple[str, ...]) -> Timeline:
        return Timeline(
            source,
            track,
            expressions,
            np.array(self._frames),
            np.array(self._times),
            np.array(self._damaged),
            np.array(self._boxes).reshape(-1, 4),
            np.array(self._probabilities).reshape(-1, len(expressions)),
        )
