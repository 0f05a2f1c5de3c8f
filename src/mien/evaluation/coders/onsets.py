"""Which stretches of one coder are those of another, and how far apart they begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.coders.stretches import Stretch, TimedCoding

Two = tuple[Stretch, Stretch]


@dataclass(frozen=True)
class Onsets:
    """How two coders' stretches of one category lie to each other.

    Args:
        category: The category.
        first: How many the one names.
        second: How many the other names.
        later: float (M,), of those that are the same: by how many seconds the other's begins later.
    """

    category: str
    first: int
    second: int
    later: NDArray[np.float64]


def onsets(first: TimedCoding, second: TimedCoding, rest: str) -> list[Onsets]:
    """Return how two coders' stretches lie to each other, category by category.

    Only videos that both code count, and not what is said where nothing is to be seen, `rest`.

    Args:
        first: The one, as `mien.evaluation.coders.steps.by_shared_names` gives it.
        second: The other, likewise.
        rest: What is left out.
    """
    one, two = first.videos, second.videos
    shared = [(one[name], two[name]) for name in one if name in two]
    categories = {s.category for both in shared for stretches in both for s in stretches}
    return [_onsets(category, shared) for category in sorted(categories - {rest})]


def _onsets(category: str, shared: Sequence[tuple[Sequence[Stretch], Sequence[Stretch]]]) -> Onsets:
    chosen = [
        tuple([s for s in stretches if s.category == category] for stretches in both)
        for both in shared
    ]
    later = [b.start - a.start for ours, theirs in chosen for a, b in same(ours, theirs)]
    return Onsets(
        category,
        first=sum(len(ours) for ours, _ in chosen),
        second=sum(len(theirs) for _, theirs in chosen),
        later=np.array(later, dtype=np.float64),
    )


def same(first: Sequence[Stretch], second: Sequence[Stretch]) -> list[Two]:
    """Return which stretches are the same: each of one coder is at most one of the other's.

    Those that overlap longest are taken first.

    Args:
        first: The one's, in order, no two at one time.
        second: The other's, likewise.
    """
    ours, theirs = set[int](), set[int]()
    for _, a, b in sorted(_overlaps(first, second)):
        if a not in ours and b not in theirs:
            ours.add(a)
            theirs.add(b)
    # No two of a coder lie at one time, so that what belongs together stands in one order.
    return [(first[a], second[b]) for a, b in zip(sorted(ours), sorted(theirs))]


def _overlaps(
    first: Sequence[Stretch], second: Sequence[Stretch]
) -> Iterator[tuple[float, int, int]]:
    """Give the places of what overlaps, and for how long, as a negative number."""
    a = b = 0
    while a < len(first) and b < len(second):
        one, two = first[a], second[b]
        overlap = min(one.end, two.end) - max(one.start, two.start)
        if overlap > 0:
            yield -overlap, a, b
        if one.end < two.end:
            a += 1
        else:
            b += 1
