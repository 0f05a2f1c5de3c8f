"""Answering only when sure: risk over coverage, and the confidence below which to say "uncertain".

Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.metrics import Probabilities, Truth

KEPT_ERROR = 0.5
"""The default threshold keeps so much of the share of mistakes that answering always makes."""


@dataclass(frozen=True)
class RiskCoverage:
    """What happens when only the surest K of N faces are answered.

    Args:
        coverage: float (N,), K / N, rising.
        risk: float (N,), share of mistakes among the answered.
        confidence: float (N,), of the least sure answered face.
        area: Mean risk over all coverages; smaller is better.
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    confidence: NDArray[np.float64]
    area: float

    def at(self, coverage: float) -> float:
        """Return the risk at a coverage between 0 and 1."""
        place = int(np.searchsorted(self.coverage, coverage - 1e-9))
        return float(self.risk[min(place, len(self.risk) - 1)])


def risk_coverage(truth: Truth, probabilities: Probabilities) -> RiskCoverage:
    """Order faces by confidence, the largest probability, and follow the share of mistakes.

    Faces of equal confidence are answered together, as a threshold would: each has the risk of all
    of them.
    """
    confidence = probabilities.max(1)
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    mistakes = np.cumsum(probabilities.argmax(1)[order] != truth[order])
    # The last face of each run of equal confidence stands for the run.
    last = np.searchsorted(-sorted_confidence, -sorted_confidence, side="right") - 1
    risk = mistakes[last] / (last + 1)
    coverage = np.arange(1, len(truth) + 1) / len(truth)
    return RiskCoverage(coverage, risk, sorted_confidence, float(risk.mean()))


def threshold(found: RiskCoverage, kept_error: float = KEPT_ERROR) -> float:
    """Return the least confidence to answer with so that a share of the mistakes remains.

    Of those that answer at most `kept_error` times the mistakes of answering always, as a share of
    the answered, it is the one that answers most faces. 0 if there are no mistakes, infinity if
    even the surest faces hold too many.
    """
    full = float(found.risk[-1])
    return least_confidence(found, kept_error * full) if full else 0.0


def least_confidence(found: RiskCoverage, allowed: float) -> float:
    """Return the least confidence with which no more than a share of the answers are mistakes.

    Infinity if even the surest faces hold too many.
    """
    kept = np.flatnonzero(found.risk <= allowed)
    return float(found.confidence[kept[-1]]) if len(kept) else float("inf")
