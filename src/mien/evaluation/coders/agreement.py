"""How far coders agree: of pairs Cohen's kappa, of all together Krippendorff's alpha."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.evaluation.bootstrap import Groups, drawn_interval, has_no_width, share_interval
from mien.evaluation.coders.codings import NOT_CODED, Codes
from mien.evaluation.coders.onsets import Onsets, onsets
from mien.evaluation.coders.steps import REST, STEP, Steps, by_shared_names, in_steps
from mien.evaluation.coders.stretches import TimedCoding
from mien.evaluation.counts import Confusion, cohen_kappa, ratio
from mien.evaluation.unvaried import UNKNOWN

WITHIN = (-1.0, 1.0)
"""The smallest and the largest kappa or alpha."""

FEWEST = 5
"""Blocks in which something happens, below which nobody can tell how blocks differ."""


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval; its bounds are NaN where nothing is known of it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Pair:
    """How far two coders agree.

    Args:
        first: The one's name.
        second: The other's.
        counts: (C, C), of the pictures that both code: rows are the first coder's categories.
        agreed: Share of the pictures on which they agree, with Wilson's interval.
        kappa: Cohen's kappa, with a bootstrap interval over pictures.
        onsets: Of stretches of time, how they lie to each other.
    """

    first: str
    second: str
    counts: Confusion
    agreed: Measured
    kappa: Measured
    onsets: tuple[Onsets, ...] = ()

    @property
    def pictures(self) -> int:
        """How many pictures both code."""
        return int(self.counts.sum())

    @property
    def specific(self) -> NDArray[np.float64]:
        """Specific agreement, float (C,): of the times that one says a category, the other does.

        Dice's coefficient; NaN of categories that neither says.
        """
        return ratio(2 * np.diag(self.counts), self.counts.sum(0) + self.counts.sum(1))


@dataclass(frozen=True)
class Agreement:
    """How far coders agree.

    Args:
        codes: What they say.
        pairs: Each two of them that have a picture in common.
        alpha: Krippendorff's alpha of all, with a bootstrap interval over pictures.
        steps: Where the pictures lie if they are steps of time, which intervals draw in blocks.
    """

    codes: Codes
    pairs: tuple[Pair, ...]
    alpha: Measured
    steps: Steps | None = None

    @cached_property
    def lengths(self) -> dict[str, float]:
        """How many seconds of each video are looked at; of pictures nothing."""
        if self.steps is None:
            return {}
        videos, counts = np.unique(self.steps.videos, return_counts=True)
        return dict(zip(videos.tolist(), (counts * self.steps.seconds).tolist()))

    @cached_property
    def coded(self) -> dict[str, dict[str, float]]:
        """How many seconds of each video each coder has coded; of pictures nothing."""
        if self.steps is None:
            return {}
        there, videos = self.codes.codes != NOT_CODED, self.steps.videos
        counts = {str(video): there[:, videos == video].sum(1) for video in np.unique(videos)}
        return {
            video: dict(zip(self.codes.coders, (count * self.steps.seconds).tolist()))
            for video, count in counts.items()
        }


def agreement(codes: Codes, steps: Steps | None = None) -> Agreement:
    """Return how far coders agree; pictures that only one of them codes tell nothing.

    Args:
        codes: What they say.
        steps: Where the pictures lie if they are steps of time.

    Raises:
        MienError: If no two of them code one picture.
    """
    blocks = None if steps is None else steps.blocks
    pairs = (_pair(codes, blocks, *two) for two in combinations(range(len(codes.coders)), 2))
    said = votes(codes)
    several = said.sum(1) > 1
    if not several.any():
        what = "picture" if steps is None else "moment"
        raise MienError(f"{' and '.join(codes.coders)} code no {what} in common.")
    said = said[several]
    drawn = _of(blocks, several)
    alpha = _measured(lambda pick: krippendorff(said[pick]), said.argmax(1), drawn)
    return Agreement(codes, tuple(pair for pair in pairs if pair is not None), alpha, steps)


def agreement_over_time(
    codings: Sequence[TimedCoding], seconds: float = STEP, rest: str = REST
) -> Agreement:
    """Return how far coders of videos agree, step by step, and how far apart their onsets are.

    Args:
        codings: Two or more.
        seconds: How long a step is.
        rest: What coders of stretches say where they name nothing.

    Raises:
        MienError: As `by_shared_names` and `in_steps` of `mien.evaluation.coders.steps` do.
    """
    named = by_shared_names(codings)
    found = agreement(*in_steps(named, seconds, rest))
    of = {coding.coder: coding for coding in named}
    pairs = (
        replace(pair, onsets=tuple(onsets(of[pair.first], of[pair.second], rest)))
        for pair in found.pairs
    )
    return replace(found, pairs=tuple(pairs))


def votes(codes: Codes) -> NDArray[np.int64]:
    """Return how many coders say each category of each picture, (U, C)."""
    counts = np.zeros((len(codes.pictures), len(codes.categories)), dtype=np.int64)
    for said in codes.codes:
        coded = np.flatnonzero(said != NOT_CODED)
        counts[coded, said[coded]] += 1
    return counts


def krippendorff(said: NDArray[np.int64]) -> float:
    """Return Krippendorff's alpha for categories without order; NaN if there is only one.

    Krippendorff, "Content Analysis", 2004, section 11.3: observed disagreement of pairs of values
    within pictures over that of all pairs. Pictures may have other numbers of values.

    Args:
        said: int (U, C), how many coders say each category of each picture.
    """
    values = said.sum(1)
    said, values = said[values > 1], values[values > 1]
    alike = float((said * (said - 1) / (values - 1)[:, None]).sum())
    total, each = values.sum(), said.sum(0)
    by_chance = float((each * (each - 1)).sum()) / (total - 1) if total > 1 else float(total)
    return 1 - (total - alike) / (total - by_chance) if total > by_chance else float("nan")


def _pair(codes: Codes, blocks: Groups | None, one: int, two: int) -> Pair | None:
    both = (codes.codes[[one, two]] != NOT_CODED).all(0)
    if not both.any():
        return None
    first, second = codes.codes[one][both], codes.codes[two][both]
    size = len(codes.categories)
    cells = first * size + second

    def counted(pick: NDArray[np.intp] | slice) -> Confusion:
        return np.bincount(cells[pick], minlength=size * size).reshape(size, size)

    hits, drawn = first == second, _of(blocks, both)
    return Pair(
        first=codes.coders[one],
        second=codes.coders[two],
        counts=counted(slice(None)),
        agreed=Measured(float(hits.mean()), *_share_interval(hits, drawn)),
        kappa=_measured(lambda pick: cohen_kappa(counted(pick)), cells, drawn),
    )


def _of(blocks: Groups | None, which: NDArray[np.bool_]) -> Groups | None:
    return None if blocks is None else blocks[which]


def _share_interval(hits: NDArray[np.bool_], blocks: Groups | None) -> tuple[float, float]:
    # Steps of one block tell nothing of their spread: they are no independent pictures.
    alone = blocks is not None and len(np.unique(blocks)) == 1
    return UNKNOWN if alone else share_interval(hits, blocks)


def _measured(
    value: Callable[[NDArray[np.intp]], float], said: NDArray[np.int64], blocks: Groups | None
) -> Measured:
    """Return a figure with its interval.

    Args:
        value: What is computed of some pictures, by their positions.
        said: int (U,), what is said of each.
        blocks: What is drawn together.
    """
    count = len(said)
    found = drawn_interval(value, count, blocks, within=WITHIN)
    known = not has_no_width(found) and (blocks is None or _telling(said, blocks) >= FEWEST)
    return Measured(value(np.arange(count)), *(found if known else UNKNOWN))


def _telling(said: NDArray[np.int64], blocks: Groups) -> int:
    """Return how many blocks have anything but what is said most of the time."""
    usual = np.bincount(said).argmax() if len(said) else 0
    return len(np.unique(blocks[said != usual]))
