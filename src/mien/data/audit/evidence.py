"""What the checks of an audit may use beside the dataset itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.inference.classifier import Classifier
from mien.inference.detectors import DETECTORS, Detector
from mien.inference.detectors.yunet import WEIGHTS
from mien.inference.downloads import home


@dataclass(frozen=True)
class Evidence:
    """What is known of a dataset from elsewhere; each check says what it lacks.

    Args:
        unreadable: One sentence for each file that could not be read.
        detectors: Face detectors; the first has the first look.
        classifier: A model that reads expressions.
        probabilities: float (N, classes), of each face by models that did not learn from it, rows
            of NaN for faces without a label.
    """

    unreadable: tuple[str, ...] = ()
    detectors: tuple[Detector, ...] = ()
    classifier: Classifier | None = None
    probabilities: NDArray[np.float64] | None = None


def detectors_at_hand(yunet_weights: Path | None = None) -> tuple[Detector, ...]:
    """Return Haar's detector, and YuNet's if its weights are given or were downloaded before.

    Raises:
        ModelError: If the given weights are not YuNet's.
    """
    detectors = [DETECTORS["haar"](None)]
    if yunet_weights is not None or (home() / WEIGHTS.name).exists():
        detectors.append(DETECTORS["yunet"](yunet_weights))
    return tuple(detectors)
