"""When a person showed which expression: onset, apex and offset; and what followed what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.inference.face import Box
from mien.inference.video.frame import Place
from mien.inference.video.timeline import OUTCOMES, ROUNDING, SHORTEST, Timeline

NOTHING = -1
"""Stands for the leading expression of what is not a face."""


@dataclass(frozen=True)
class Episode:
    """A time in which one expression led.

    Args:
        expression: The expression.
        onset: When it began, in seconds.
        apex: When it was most probable, in seconds.
        offset: When it ended, in seconds.
        peak: Its probability at the apex, 0 to 1.
        place: The frame of the apex.
        box: Where the face is in that frame.
    """

    expression: str
    onset: float
    apex: float
    offset: float
    peak: float
    place: Place
    box: Box


def episodes(timeline: Timeline) -> list[Episode]:
    """Return the episodes of a person, in the order of time.

    Runs of frames with the same most probable expression that last less than `SHORTEST` are
    flicker and left out; the others are joined across no more flicker than `SHORTEST`. Frames
    answered "not a face" belong to no run, however long they last.
    """
    found = []
    led = np.where(timeline.shows_face, timeline.leading, NOTHING)
    for stretch in timeline.stretches():
        runs = [run for run in _runs(led[stretch], stretch.start) if led[run.start] != NOTHING]
        lasting = [run for run in runs if _seconds(timeline, run) >= SHORTEST - ROUNDING]
        found += [_episode(timeline, run) for run in _joined(timeline, lasting)]
    return found


def shares(timeline: Timeline) -> dict[str, float]:
    """Return the share of a person's time in which each expression was the most probable."""
    return _shares(timeline, timeline.leading, timeline.expressions)


def answered(timeline: Timeline) -> dict[str, float]:
    """Return the share of a person's time answered with each of what is no expression."""
    return {
        name: share
        for name, share in _shares(timeline, timeline.outcomes, OUTCOMES).items()
        if name != "sure"
    }


def transitions(found: Sequence[Episode], expressions: Sequence[str]) -> NDArray[np.int64]:
    """Count what followed what without a break of more than `SHORTEST`.

    The same expression again is the same one carried on, and not counted.

    Returns:
        int64 (E, E): rows are what was left, columns what came next.
    """
    counts = np.zeros((len(expressions), len(expressions)), dtype=np.int64)
    for before, after in pairwise(found):
        at_once = after.onset - before.offset <= SHORTEST + ROUNDING
        if at_once and before.expression != after.expression:
            counts[expressions.index(before.expression), expressions.index(after.expression)] += 1
    return counts


def _shares(
    timeline: Timeline, what: NDArray[np.signedinteger[Any]], names: Sequence[str]
) -> dict[str, float]:
    lengths = timeline.lengths
    if not lengths.sum():
        lengths = np.ones(len(timeline))
    seconds = np.bincount(what, lengths, minlength=len(names))
    return dict(zip(names, (seconds / lengths.sum()).tolist(), strict=True))


def _runs(leading: NDArray[np.intp], start: int) -> list[slice]:
    cuts = [0, *(np.flatnonzero(np.diff(leading)) + 1).tolist(), len(leading)]
    return [slice(start + a, start + b) for a, b in pairwise(cuts)]


def _seconds(timeline: Timeline, rows: slice) -> float:
    return float(timeline.lengths[rows].sum())


def _joined(timeline: Timeline, runs: Sequence[slice]) -> list[slice]:
    joined: list[slice] = []
    for run in runs:
        if joined and _continues(timeline, joined[-1], run):
            run = slice(joined.pop().start, run.stop)
        joined.append(run)
    return joined


def _continues(timeline: Timeline, before: slice, after: slice) -> bool:
    same = timeline.leading[before.start] == timeline.leading[after.start]
    return bool(same) and _seconds(timeline, slice(before.stop, after.start)) <= SHORTEST + ROUNDING


def _episode(timeline: Timeline, rows: slice) -> Episode:
    expression = int(timeline.leading[rows.start])
    strength = np.where(timeline.shows_face[rows], timeline.probabilities[rows, expression], -1)
    apex = rows.start + int(strength.argmax())
    time = float(timeline.times[apex])
    return Episode(
        expression=timeline.expressions[expression],
        onset=float(timeline.times[rows.start]),
        apex=time,
        offset=float(timeline.times[rows.stop - 1] + timeline.lengths[rows.stop - 1]),
        peak=float(timeline.probabilities[apex, expression]),
        place=Place(int(timeline.frames[apex]), time, int(timeline.damaged[apex])),
        box=Box(*timeline.boxes[apex].tolist()),
    )
