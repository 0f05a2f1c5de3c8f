"""Temperature scaling: one number that makes confidence mean what it says.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from mien.errors import MienError
from mien.evaluation.metrics import Probabilities, Truth

BOUNDS = (0.05, 20.0)


def fit_temperature(logits: NDArray[np.float64], truth: Truth) -> float:
    """Return the temperature with the smallest negative log-likelihood on validation.

    The faces count as if there were one more that shows each class with equal chance: where all are
    read right, the likelihood alone would make every answer certain. Platt, "Probabilistic Outputs
    for Support Vector Machines", Advances in Large Margin Classifiers, 1999, section 2.2.

    Args:
        logits: float (N, C).
        truth: int (N,), all known.

    Raises:
        MienError: If N is 0.
    """
    if len(truth) == 0:
        raise MienError("A temperature cannot be fitted: no validation face has a known truth.")
    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scores[rows, truth].sum() - scores.mean())

    found = minimize_scalar(loss, bounds=tuple(np.log(BOUNDS)), method="bounded")
    return float(np.exp(found.x))


def probabilities(logits: NDArray[np.float64], temperature: float) -> Probabilities:
    """Return softmax(logits / temperature), float64 (N, C)."""
    return np.asarray(softmax(logits.astype(np.float64) / temperature, axis=1))
