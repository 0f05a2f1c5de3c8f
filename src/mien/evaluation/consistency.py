"""What chance alone does to the calibration error: on few faces even a perfect model shows one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.evaluation.metrics import Probabilities, expected_calibration_error

DRAWS = 200


@dataclass(frozen=True)
class Consistency:
    """The calibration errors that a perfectly calibrated model would show.

    Args:
        mean: Their mean.
        high: Below this are 97.5 % of them: a larger error is more than chance.
    """

    mean: float
    high: float


def consistency(probabilities: Probabilities, seed: int = 0) -> Consistency:
    """Return which calibration errors fit a model whose every confidence is right.

    Truths are drawn by the model's own confidences, again and again, and its calibration error is
    computed for each (consistency resampling: Bröcker and Smith, "Increasing the Reliability of
    Reliability Diagrams", Weather and Forecasting 22, 2007).

    Args:
        probabilities: float (N, C).
        seed: Of the draws.
    """
    confidence, decision = probabilities.max(1), probabilities.argmax(1)
    other = (decision + 1) % probabilities.shape[1]
    random = np.random.default_rng(seed)
    errors = [
        expected_calibration_error(
            np.where(random.random(len(confidence)) < confidence, decision, other), probabilities
        )
        for _ in range(DRAWS)
    ]
    return Consistency(float(np.mean(errors)), float(np.quantile(errors, 0.975)))
