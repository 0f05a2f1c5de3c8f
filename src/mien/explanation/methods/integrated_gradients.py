"""Integrated gradients: each pixel's share in the way from a face that says nothing to the face.

Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep Networks", ICML 2017, section 3. Needs the
extra [train].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.explanation.fill import filled
from mien.explanation.methods import METHODS, need_gradients
from mien.explanation.output import Output
from mien.explanation.settings import Settings
from mien.preprocess import Image


@METHODS.register("integrated-gradients")
class IntegratedGradients:
    """Sums gradients on the straight way from the filled crop to the crop.

    The values sum to the difference of both log-probabilities, but for what the steps miss.
    """

    def __init__(self, output: Output, settings: Settings) -> None:
        need_gradients("integrated-gradients")
        from captum.attr import IntegratedGradients as Captum

        from mien.explanation.network import log_probabilities

        self._settings = settings
        self._network = log_probabilities(output)
        self._method = Captum(self._network)

    def __call__(self, crop: Image, target: int) -> NDArray[np.float64]:
        """Return each pixel's part of the log-probability, float64 (S, S)."""
        empty = filled(crop, self._settings.fill)
        face, baseline = self._network.images(np.stack([crop, empty]))[:, None]
        parts = self._method.attribute(
            face, baselines=baseline, target=target, n_steps=self._settings.steps
        )
        return np.asarray(parts[0, 0].detach().numpy(), dtype=np.float64)
