"""How far an explanation can be trusted, as a number: deletion and insertion against chance.

Petsiuk, Das, Saenko, "RISE", BMVC 2018, section 4.2. What an explanation calls important is taken
away first: if it is right, the probability falls fast, and the area under the curve is small. Put
back first, it rises fast, and the area is large. Chance takes away pieces of the same size in a
random order: single random pixels would break a face much sooner than any explanation whose pieces
hang together, and a comparison with them would say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.explanation.contributions import COUNT, Contributions
from mien.explanation.output import Output
from mien.explanation.regions import areas
from mien.preprocess import Image

CELLS = 12
"""Cells along a side of the crop that are taken away whole: squares of 4 pixels of 48."""

STEPS = 12
"""Steps in which all cells are taken away, 12 cells at a time."""

ORDERS = 5
"""Random orders of the cells for each face."""

REGION_ORDERS = 200
"""Random orders of the regions for each face; they cost nothing, all their values are known."""

FRACTIONS = np.linspace(0, 1, 4 * STEPS + 1)
"""Where the curves of regions, whose steps differ in size, are read."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A probability as more and more of a face is taken away or put back.

    Args:
        fractions: float64 (K,), how much of the crop's pixels, from 0 to 1.
        probabilities: float64 (K,).
    """

    fractions: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Area under the curve by the trapezoidal rule, 0 to 1."""
        widths = np.diff(self.fractions)
        middles = (self.probabilities[1:] + self.probabilities[:-1]) / 2
        return float(widths @ middles)

    @classmethod
    def mean(cls, curves: Sequence[Curve]) -> Curve:
        """Return the mean of curves of equal length, point by point."""
        return cls(
            np.mean([curve.fractions for curve in curves], axis=0),
            np.mean([curve.probabilities for curve in curves], axis=0),
        )


@dataclass(frozen=True)
class Faithfulness:
    """The curves of one explanation of one face, and the means over random orders.

    Args:
        deletion: What matters most is taken away first; a small area is good.
        insertion: What matters most is put back first; a large area is good.
        random_deletion: Mean over random orders.
        random_insertion: Mean over random orders.
    """

    deletion: Curve
    insertion: Curve
    random_deletion: Curve
    random_insertion: Curve


class CellTest:
    """Takes a face away cell by cell, in the order of heatmaps and in random orders.

    Args:
        output: What reads the face.
        crop: uint8 (S, S), grey.
        empty: uint8 (S, S), the crop with everything taken away.
        target: Index of the expression.
        seed: Seeds the random orders; if several faces had the same, their chances would not be
            independent.
    """

    def __init__(self, output: Output, crop: Image, empty: Image, target: int, seed: int) -> None:
        self._output, self._target = output, target
        self._crop, self._empty = crop, empty
        self._cells = cell_map(len(crop))
        generator = np.random.default_rng(seed)
        orders = np.stack([generator.permutation(CELLS**2) for _ in range(ORDERS)])
        self._random = [Curve.mean(curves) for curves in self._curves(orders)]

    def __call__(self, heatmap: NDArray[np.float64]) -> Faithfulness:
        """Return how faithful a heatmap, float64 (S, S), is to what the output does."""
        order = np.argsort(-cell_means(heatmap, self._cells), kind="stable")
        (deletion,), (insertion,) = self._curves(order[None])
        return Faithfulness(deletion, insertion, *self._random)

    def _curves(self, orders: NDArray[np.intp]) -> tuple[list[Curve], list[Curve]]:
        """Return deletion and insertion for each order, intp (M, cells)."""
        counts = np.linspace(0, CELLS**2, STEPS + 1).round()
        ranks = np.argsort(orders, axis=1)[:, self._cells]
        first = ranks[:, None] < counts[:, None, None]  # (M, K, S, S)
        deleted = np.where(first, self._empty, self._crop)
        inserted = np.where(first, self._crop, self._empty)
        crops = np.stack([deleted, inserted]).reshape(-1, *self._crop.shape)
        read = self._output.probability(crops, self._target)
        deletions, insertions = read.reshape(2, len(orders), len(counts))
        fractions = self._fractions(orders, counts)
        return (
            [Curve(*pair) for pair in zip(fractions, deletions)],
            [Curve(*pair) for pair in zip(fractions, insertions)],
        )

    def _fractions(
        self, orders: NDArray[np.intp], counts: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the share of pixels in the first cells of each order, float64 (M, K)."""
        sizes = np.bincount(self._cells.ravel(), minlength=CELLS**2)
        sums = np.pad(np.cumsum(sizes[orders], axis=1), ((0, 0), (1, 0)))
        return np.asarray(sums[:, counts.astype(np.intp)] / self._cells.size)


def cell_map(side: int) -> NDArray[np.intp]:
    """Return the cell of each pixel of a crop, intp (side, side), from 0 to CELLS^2 - 1."""
    place = np.arange(side) * CELLS // side
    return np.asarray(place[:, None] * CELLS + place)


def cell_means(heatmap: NDArray[np.float64], cells: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return a heatmap's mean in each cell, float64 (CELLS^2,)."""
    sums = np.bincount(cells.ravel(), weights=heatmap.ravel(), minlength=CELLS**2)
    sizes = np.bincount(cells.ravel(), minlength=CELLS**2)
    return np.asarray(sums / np.maximum(sizes, 1))


def region_faithfulness(contributions: Contributions, seed: int) -> Faithfulness:
    """Return how faithful the order of regions by what they contribute is, against chance.

    Chance takes away whole regions, too.
    """
    generator = np.random.default_rng(seed)
    order = np.argsort(-contributions.shapley, kind="stable")
    random = [generator.permutation(COUNT) for _ in range(REGION_ORDERS)]
    return Faithfulness(
        _without(contributions, order),
        _with(contributions, order),
        Curve.mean([_without(contributions, other) for other in random]),
        Curve.mean([_with(contributions, other) for other in random]),
    )


def _without(contributions: Contributions, order: NDArray[np.intp]) -> Curve:
    sizes = areas(contributions.regions)[order]
    fractions = np.concatenate([[0], np.cumsum(sizes)])
    read = contributions.without(order)
    return Curve(FRACTIONS, np.interp(FRACTIONS, fractions, read))


def _with(contributions: Contributions, order: NDArray[np.intp]) -> Curve:
    """Put back first what comes first: taking away in the opposite order, read backwards."""
    backwards = _without(contributions, order[::-1])
    return Curve(FRACTIONS, backwards.probabilities[::-1])
