"""Codings of videos as codes of equal steps of time, which figures of agreement are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.evaluation.coders.codings import (
    NOT_CODED,
    Codes,
    by_file_name,
    by_slashes,
    check_coders,
    file_name,
    strangers,
)
from mien.evaluation.coders.stretches import Stretch, TimedCoding

DIGITS = 9
"""Decimals of times that are compared: what is beyond is of binary numbers, not of clocks."""

Videos = Mapping[str, Sequence[Stretch]]

STEP = 0.1
"""Seconds of a step unless said otherwise; people's own onsets differ by more."""

MOST_STEPS = 5_000_000
"""More are a mistake: they are 139 hours in steps of 0.1 s."""

BLOCK = 10.0
"""Seconds that are drawn together for intervals: neighbouring steps mostly say the same."""

REST = "neutral"
"""What is to be seen where a coder of stretches names nothing, unless said otherwise."""


@dataclass(frozen=True)
class Steps:
    """Where steps of time lie.

    Args:
        videos: str (U,), the video of each.
        starts: float (U,), where each begins, in seconds.
        seconds: How long each is.
    """

    videos: NDArray[np.str_]
    starts: NDArray[np.float64]
    seconds: float

    @property
    def middles(self) -> NDArray[np.float64]:
        """The middle of each, in seconds: float (U,)."""
        return np.round(self.starts + self.seconds / 2, DIGITS)

    @property
    def blocks(self) -> NDArray[np.str_]:
        """What is drawn together: str (U,)."""
        numbers = (self.starts // BLOCK).astype(np.int64)
        return np.array([f"{number}:{video}" for video, number in zip(self.videos, numbers)])


def in_steps(
    codings: Sequence[TimedCoding], seconds: float = STEP, rest: str = REST
) -> tuple[Codes, Steps]:
    """Return what several coders say of each step of each video, and where the steps lie.

    A step shows what is said of its middle. Videos are looked at from their beginning to the last
    thing that any coder says.

    Args:
        codings: As `by_shared_names` gives them.
        seconds: How long a step is.
        rest: What coders of stretches say where they name nothing.

    Raises:
        MienError: If a step has no length, or there are no steps, or too many.
    """
    if not 0 < seconds < float("inf"):
        raise MienError(f"A step must be longer than 0 s. Got {seconds:g} instead.")
    said = [coding.videos for coding in codings]
    categories = _categories(said, {rest} if any(coding.rests for coding in codings) else set())
    steps = _steps(said, seconds)
    index = {category: number for number, category in enumerate(categories)}
    codes = [
        _codes(videos, steps, index, index[rest] if coding.rests else NOT_CODED)
        for videos, coding in zip(said, codings)
    ]
    pictures = tuple(f"{video} {t:.2f} s" for video, t in zip(steps.videos, steps.starts))
    coders = tuple(coding.coder for coding in codings)
    return Codes(coders, pictures, categories, np.stack(codes)), steps


def by_shared_names(codings: Sequence[TimedCoding]) -> list[TimedCoding]:
    """Return codings by names of videos that all of them use.

    Where each has one video it is the same; else they go by their names if each two coders share
    one, with either slash, or else by their file names.

    Raises:
        MienError: If there are not two coders, two have one name, or a coder shares no video with
            another.
    """
    check_coders([coding.coder for coding in codings])
    taken = taken_for_one(codings)
    if taken:
        return [replace(c, videos={taken[0]: next(iter(c.videos.values()))}) for c in codings]
    named = list(codings)
    for renamed in (by_slashes, by_file_name):
        if any(one.videos.keys().isdisjoint(two.videos) for one, two in combinations(named, 2)):
            named = [replace(coding, videos=renamed(coding.videos)) for coding in named]
    apart = strangers([coding.videos for coding in named])
    if apart:
        first = next(iter(codings[apart[0]].videos))
        raise MienError(
            f"{codings[apart[0]].coder} names no video as another coder does, {first!r} first:"
            " --picture names the column of the video."
        )
    return named


def taken_for_one(codings: Sequence[TimedCoding]) -> list[str]:
    """Return what the one video is called that each coder has; none if any has several.

    More than one name may mean that they are not of the same video.
    """
    if any(len(coding.videos) != 1 for coding in codings):
        return []
    names = (file_name(name) for coding in codings for name in coding.videos)
    return list(dict.fromkeys(filter(None, names))) or ["video"]


def _categories(said: Iterable[Videos], rests: set[str]) -> tuple[str, ...]:
    words = {s.category for videos in said for stretches in videos.values() for s in stretches}
    return tuple(sorted(words | rests))


def _steps(said: Sequence[Videos], seconds: float) -> Steps:
    """Return the steps of all videos, from the beginning to the last thing that is said."""
    last: dict[str, float] = {}
    for videos in said:
        for name, stretches in videos.items():
            last[name] = max(last.get(name, 0.0), *(s.end for s in stretches), 0.0)
    # A step counts if its middle lies before the end.
    counts = {name: ceil(round(end / seconds - 0.5, DIGITS)) for name, end in sorted(last.items())}
    longest = max(last, key=lambda name: last[name])
    if not 0 < sum(counts.values()) <= MOST_STEPS:
        raise MienError(
            f"There must be 1 to {MOST_STEPS:,} steps of {seconds:g} s. Got"
            f" {sum(counts.values()):,}: {longest} would be {last[longest]:,.10g} s long."
        )
    starts = [np.arange(count) * seconds for count in counts.values()]
    names = np.repeat(np.array(list(counts), dtype=np.str_), list(counts.values()))
    return Steps(names, np.concatenate(starts), seconds)


def _codes(videos: Videos, steps: Steps, index: dict[str, int], silent: int) -> NDArray[np.int64]:
    codes = np.full(len(steps.starts), NOT_CODED, dtype=np.int64)
    for name, stretches in videos.items():
        here = steps.videos == name
        codes[here] = _codes_of_one(stretches, steps.middles[here], index, silent)
    return codes


def _codes_of_one(
    stretches: Sequence[Stretch], middles: NDArray[np.float64], index: dict[str, int], silent: int
) -> NDArray[np.int64]:
    # One before all others, so that each middle has a stretch that begins before it.
    starts = np.array([-np.inf, *(s.start for s in stretches)])
    ends = np.array([-np.inf, *(s.end for s in stretches)])
    words = np.array([silent, *(index[s.category] for s in stretches)], dtype=np.int64)
    at = np.searchsorted(starts, middles, side="right") - 1
    return np.where(middles < ends[at], words[at], silent)
