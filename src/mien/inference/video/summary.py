"""What each person of a video showed, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.inference.video.baseline import neutral_baseline
from mien.inference.video.episodes import Episode, answered, episodes, shares, transitions
from mien.inference.video.timeline import Timeline

NO_REST: Final = "no rest found"
"""What is said of a person of whom neutral leads in none of the frames that count as rest."""

Rest = Literal["found", "no rest found"]


@dataclass(frozen=True)
class PersonSummary:
    """What one person showed.

    Args:
        source: The video.
        track: Number of the person.
        rows: In how many of the frames read the face was there.
        first: Time of the first of them, in seconds.
        last: Time of the last of them, in seconds.
        until: When that one ends, in seconds.
        seconds: How long the face was there.
        shares: Share of that time in which each expression was the most probable; they sum to 1.
        answered: Share of that time in which the answer was "uncertain" or "not a face".
        rest: Whether the person was "found" at rest, or "no rest found"; None if that was not
            looked for.
        episodes: When which expression led, in the order of time.
        transitions: int64 (E, E), counts of what (row) was followed by what (column) at once.
    """

    source: str
    track: int
    rows: int
    first: float
    last: float
    until: float
    seconds: float
    shares: dict[str, float]
    answered: dict[str, float]
    rest: Rest | None
    episodes: list[Episode]
    transitions: NDArray[np.int64]

    @classmethod
    def of(cls, timeline: Timeline, *, baseline: bool = False) -> PersonSummary:
        """Sum up a timeline, as it is: smoothed or not.

        Args:
            timeline: What the person showed.
            baseline: Whether to look for the person at rest.
        """
        found = episodes(timeline)
        return cls(
            source=timeline.source,
            track=timeline.track,
            rows=len(timeline),
            first=float(timeline.times[0]),
            last=float(timeline.times[-1]),
            until=float(timeline.times[-1] + timeline.lengths[-1]),
            seconds=float(timeline.lengths.sum()),
            shares=shares(timeline),
            answered=answered(timeline),
            rest=_rest(timeline) if baseline else None,
            episodes=found,
            transitions=transitions(found, timeline.expressions),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain values, ready for JSON."""
        names = list(self.shares)
        counts = {
            before: dict(zip(names, row, strict=True))
            for before, row in zip(names, self.transitions.tolist(), strict=True)
        }
        return {**asdict(self), "transitions": counts}


def _rest(timeline: Timeline) -> Rest:
    return NO_REST if neutral_baseline(timeline) is None else "found"


def peaks(found: Sequence[Episode], most: int) -> list[Episode]:
    """Return the episodes with the highest peaks, neutral ones last, in the order of time."""
    ranked = sorted(found, key=lambda e: (e.expression == "neutral", -e.peak))
    return sorted(ranked[:most], key=lambda e: e.apex)
