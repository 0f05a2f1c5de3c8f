"""What each region of a face contributes to a probability."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from mien.explanation.output import Output
from mien.explanation.regions import REGIONS
from mien.preprocess import Image

COUNT = len(REGIONS)
SETS = np.arange(2**COUNT)
"""Every set of regions: bit r says whether region r is in it."""

MEMBERS = (SETS[:, None] >> np.arange(COUNT)) & 1 == 1
"""bool (2^R, R): which regions are in each set."""


@dataclass(frozen=True, eq=False)
class Contributions:
    """The probability of an expression with every set of regions taken away.

    Args:
        regions: intp (S, S), the region of each pixel.
        values: float64 (2^R,), the probability without the regions of each of `SETS`: the first is
            that of the whole face, the last that of a face of which nothing is left.
    """

    regions: NDArray[np.intp]
    values: NDArray[np.float64]

    @property
    def alone(self) -> NDArray[np.float64]:
        """How far the probability drops if one region alone is taken away, float64 (R,)."""
        return np.asarray(self.values[0] - self.values[1 << np.arange(COUNT)])

    @property
    def shapley(self) -> NDArray[np.float64]:
        """What each region contributes on average over all orders of taking away, float64 (R,).

        The sum is the probability of the whole face less that of one of which nothing is left.
        Shapley, "A value for n-person games", 1953; exact, over all 2^R sets.
        """
        return np.array([self._average_drop(region) for region in range(COUNT)])

    def without(self, order: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the probabilities as regions are taken away in an order, float64 (R + 1,)."""
        gone = np.concatenate([[0], np.cumsum(1 << order)])
        return np.asarray(self.values[gone])

    def _average_drop(self, region: int) -> float:
        before = SETS[~MEMBERS[:, region]]
        sizes = MEMBERS[before].sum(axis=1)
        weights = np.array([1 / (COUNT * comb(COUNT - 1, int(size))) for size in sizes])
        drops = self.values[before] - self.values[before | (1 << region)]
        return float(weights @ drops)


def region_contributions(
    output: Output, crop: Image, empty: Image, regions: NDArray[np.intp], target: int
) -> Contributions:
    """Take every set of regions away from a face and read what is left.

    Args:
        output: What reads it; it is asked 2^R = 256 times.
        crop: uint8 (S, S), grey.
        empty: uint8 (S, S), the crop with everything taken away.
        regions: intp (S, S), from `region_map`.
        target: Index of the expression.
    """
    crops = np.where(MEMBERS[:, regions], empty, crop)
    return Contributions(regions, output.probability(crops, target))
