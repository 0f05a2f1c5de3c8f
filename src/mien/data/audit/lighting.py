"""Images that do not conform: too dark, too bright, of low contrast, or blurred."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.data.audit import CHECKS, Finding, Result
from mien.data.audit.evidence import Evidence
from mien.data.dataset import FaceDataset
from mien.data.explore.statistics import brightness, contrast, sharpness
from mien.data.sizes import USUAL_SIDE, of_usual_side

NAME = "lighting"

DARK, BRIGHT = 30.0, 225.0
"""Mean grey values, 0 to 255, beyond which an image is too dark or too bright."""

FLAT = 12.0
"""Standard deviation of grey values below which there is no contrast."""

BLURRED = 40.0
"""Variance of the Laplacian below which nothing is sharp."""

EXPLANATION = (
    f"Images whose mean grey value is below {DARK:.0f} or above {BRIGHT:.0f} of 255, whose standard"
    f" deviation is below {FLAT:.0f}, or whose Laplacian varies by less than {BLURRED:.0f}, larger"
    f" ones being shrunk to {USUAL_SIDE} pixels for that. Nets may learn from such images all the"
    " same; a person should look before dropping."
)


@CHECKS.register(NAME)
class Lighting:
    """Measures brightness, contrast and sharpness of each image."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return the images beyond a limit, by limit, the furthest first."""
        means, deviations = brightness(dataset.images), contrast(dataset.images)
        sharp = sharpness(of_usual_side(dataset.images))
        found = {
            "too dark": _below(means, DARK),
            "too bright": _below(-means, -BRIGHT),
            "low contrast": _below(deviations, FLAT),
            "blurred": _below(sharp, BLURRED),
        }
        measured = {
            "too dark": means,
            "too bright": means,
            "low contrast": deviations,
            "blurred": sharp,
        }
        findings = [
            Finding(
                NAME, int(i), -1, float(measured[what][i]), True, f"{what}: {measured[what][i]:.0f}"
            )
            for what, indices in found.items()
            for i in indices
        ]
        counts = {what: len(indices) for what, indices in found.items()}
        return Result(NAME, "Lighting and sharpness", EXPLANATION, counts, tuple(findings))


def _below(values: NDArray[np.float64], limit: float) -> NDArray[np.intp]:
    indices = np.flatnonzero(values < limit)
    return indices[np.argsort(values[indices], kind="stable")]
