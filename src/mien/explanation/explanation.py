"""What a method says about one face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.explanation.regions import REGIONS


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where in a face a method sees what speaks for an expression.

    Args:
        method: Its name in `METHODS`.
        expression: What is explained.
        probability: Of the expression on the whole face, 0 to 1.
        heatmap: float64 (S, S), a value for each pixel of the crop: above 0 speaks for the
            expression, below 0 against it. Its scale is the method's own.

    Raises:
        MienError: If the heatmap is not square or has values that are not finite.
    """

    method: str
    expression: str
    probability: float
    heatmap: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = self.heatmap.shape
        if len(shape) != 2 or shape[0] != shape[1] or not np.isfinite(self.heatmap).all():
            raise MienError(
                f"The heatmap of {self.method} must be square and finite. Got shape {shape} with"
                f" {int((~np.isfinite(self.heatmap)).sum())} values that are not."
            )

    def shares(self, regions: NDArray[np.intp]) -> NDArray[np.float64] | None:
        """Return how much of what speaks for the expression lies in each region.

        Args:
            regions: intp (S, S), from `region_map`.

        Returns:
            float64 (R,), sums to 1; None where nothing speaks for the expression.
        """
        positive = np.maximum(self.heatmap, 0)
        total = float(positive.sum())
        if total == 0:
            return None
        mass = np.bincount(regions.ravel(), weights=positive.ravel(), minlength=len(REGIONS))
        return np.asarray(mass / total)
