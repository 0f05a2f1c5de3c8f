"""The expressions of one person over time."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from mien.inference.face import Outcome
from mien.inference.lines import Record

SHORTEST = 0.2
"""Seconds below which a run of frames is flicker and no episode, and up to which nobody is away.
Expressions that are felt last half a second to four (Ekman, 2003); micro-expressions down to 1/25 s
are not what this is for."""

ROUNDING = 0.0015
"""Seconds by which a run of just `SHORTEST` may seem longer or shorter: Matroska stores times in
whole milliseconds. At usual frame rates `SHORTEST` is a whole number of frames."""

GAP = 3
"""A person counts as away when their next row is more than so many frames later, of those that
were read, and more than `SHORTEST` was missed. Seconds alone say nothing: a frame may be shown for
long, as in a screen recording. Frames alone say nothing: a fast camera takes three in 50 ms."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""What a verdict may be; a timeline holds the numbers of theirs."""


@dataclass(frozen=True)
class Timeline:
    """The rows of one person in one video, in the order of time.

    Args:
        source: The video.
        track: Number of the person.
        expressions: The columns of `probabilities`.
        frames: int64 (N,), the frames' numbers.
        reads: int64 (N,), their numbers among the frames that were read.
        times: float64 (N,), in seconds.
        damaged: int64 (N,), what `Place.damaged` says of each frame.
        boxes: float64 (N, 4), the faces' x, y, width and height in pixels.
        probabilities: float64 (N, E); the rows sum to 1.
        outcomes: int8 (N,), the verdicts' indices in `OUTCOMES`.
        end: When what was read of the video ends, in seconds.
        step: Seconds that are usual from one frame read of the video to the next.
    """

    source: str
    track: int
    expressions: tuple[str, ...]
    frames: NDArray[np.int64]
    reads: NDArray[np.int64]
    times: NDArray[np.float64]
    damaged: NDArray[np.int64]
    boxes: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    outcomes: NDArray[np.int8]
    end: float
    step: float = 0.0

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Seconds that each row lasts, float64 (N,): until the next one, unless away by then.

        The last one lasts as long as is usual, and not longer than what was read.
        """
        steps, away = np.maximum(np.diff(self.times), 0), self._away
        usual = self.step if away.all() else float(np.median(steps[~away]))
        left = max(0.0, self.end - float(self.times[-1]))
        seen = np.where(away, np.minimum(usual, steps), steps)
        return np.append(seen, min(usual, left))

    @property
    def _away(self) -> NDArray[np.bool_]:
        """Whether the person was away between each row and the next one, (N - 1,)."""
        steps, reads = np.diff(self.times), np.diff(self.reads)
        longest = SHORTEST + ROUNDING
        # Of the frames from one row to the next, all but the first were missed.
        missed = (reads > GAP) & (steps * (1 - 1 / np.maximum(reads, 1)) > longest)
        # Where parts could not be decoded, frames without the person may be among them.
        lost = np.diff(self.damaged) > 0
        if lost.any():
            usual = np.median(steps)
            lost &= (steps > GAP * usual) & (steps - usual > longest)
        return np.asarray(missed | lost)

    @property
    def shows_face(self) -> NDArray[np.bool_]:
        """Whether each row was not answered "not a face", (N,)."""
        return np.asarray(self.outcomes != OUTCOMES.index("not a face"))

    @property
    def leading(self) -> NDArray[np.intp]:
        """The index of the most probable expression of each row, (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def stretches(self) -> list[slice]:
        """Return the rows between the person's absences, as slices."""
        cuts = [0, *(np.flatnonzero(self._away) + 1).tolist(), len(self)]
        return [slice(a, b) for a, b in pairwise(cuts)]

    def with_probabilities(self, probabilities: NDArray[np.float64]) -> Timeline:
        """Return the same rows with other probabilities, such as smoothed ones."""
        return replace(self, probabilities=probabilities)


def timelines(records: Iterable[Record], expressions: tuple[str, ...]) -> list[Timeline]:
    """Gather the timeline of each person of each video from the records of a journal.

    Memory grows by 129 bytes per face and frame (for 8 expressions), and by 8 per frame.

    Args:
        records: Frames and ends of videos; those of one video follow each other.
        expressions: The order of the records' probabilities.
    """
    columns: dict[tuple[str, int], _Columns] = {}
    ends: dict[str, float] = {}
    reads: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
    for record in records:
        source = record["source"]
        # Of a video that was not read to its end, the last frame's time is all that is known.
        until = record.get("time", record.get("until"))
        if until is not None:
            ends[source] = until
        for face in record.get("faces", ()):
            columns.setdefault((source, face["track"]), _Columns()).add(
                record, face, len(reads[source])
            )
        if "faces" in record:
            reads[source].append(record["time"])
    steps = {source: _usual_step(times, ends[source]) for source, times in reads.items()}
    return [
        c.timeline(source, track, expressions, ends[source], steps[source])
        for (source, track), c in columns.items()
    ]


def _usual_step(times: Sequence[float], end: float) -> float:
    """Return the seconds that are usual from one frame read to the next; of a single one, all."""
    steps = np.diff(times) if len(times) > 1 else np.array([end - times[0]])
    return float(np.median(np.maximum(steps, 0)))


class _Columns:
    def __init__(self) -> None:
        self._frames = array("q")
        self._reads = array("q")
        self._damaged = array("q")
        self._times = array("d")
        self._boxes = array("d")
        self._probabilities = array("d")
        self._outcomes = array("b")

    def add(self, record: Record, face: Record, read: int) -> None:
        self._frames.append(record["frame"])
        self._reads.append(read)
        self._damaged.append(record["damaged"])
        self._times.append(record["time"])
        self._boxes.extend(face["box"])
        self._probabilities.extend(face["probabilities"])
        self._outcomes.append(OUTCOMES.index(face["verdict"][0]))

    def timeline(
        self, source: str, track: int, expressions: tuple[str, ...], end: float, step: float
    ) -> Timeline:
        return Timeline(
            source,
            track,
            expressions,
            np.array(self._frames),
            np.array(self._reads),
            np.array(self._times),
            np.array(self._damaged),
            np.array(self._boxes).reshape(-1, 4),
            np.array(self._probabilities).reshape(-1, len(expressions)),
            np.array(self._outcomes, dtype=np.int8),
            end,
            step,
        )
