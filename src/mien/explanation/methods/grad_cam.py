"""Grad-CAM: the maps of a layer, weighted by how much each raises the probability.

Selvaraju et al., "Grad-CAM", ICCV 2017, section 3, without its last ReLU: what speaks against the
expression is kept below 0. Needs the extra [train].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.explanation.methods import METHODS, need_gradients
from mien.explanation.output import Output
from mien.explanation.settings import Settings
from mien.preprocess import Image


@METHODS.register("grad-cam")
class GradCam:
    """Follows gradients back to one layer, the last map by default, and enlarges what it finds."""

    def __init__(self, output: Output, settings: Settings) -> None:
        need_gradients("grad-cam")
        from captum.attr import LayerGradCam

        from mien.explanation.network import log_probabilities

        self._network = log_probabilities(output)
        self._method = LayerGradCam(self._network, self._network.layer(settings.layer))

    def __call__(self, crop: Image, target: int) -> NDArray[np.float64]:
        """Return the weighted sum of the layer's maps, float64 (S, S), enlarged bilinearly."""
        from captum.attr import LayerAttribution

        found = self._method.attribute(self._network.images(crop[None]), target=target)
        enlarged = LayerAttribution.interpolate(found, crop.shape, interpolate_mode="bilinear")
        return np.asarray(enlarged[0, 0].detach().numpy(), dtype=np.float64)
