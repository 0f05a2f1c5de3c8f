"""Occlusion sensitivity: how far the probability drops where a patch hides the face.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.explanation.fill import filled
from mien.explanation.methods import METHODS
from mien.explanation.output import Output
from mien.explanation.settings import Settings
from mien.preprocess import Image


@METHODS.register("occlusion")
class Occlusion:
    """Moves a square over the face; a pixel's value is the mean drop over the squares that hide it.

    Squares reach beyond the edges, so that pixels there are hidden as often as others: with the
    usual settings and crops of 48 pixels the model is asked 170 times.
    """

    def __init__(self, output: Output, settings: Settings) -> None:
        self._output = output
        self._fill = settings.fill
        self._hidden = _squares(output.side, settings.patch, settings.stride)

    def __call__(self, crop: Image, target: int) -> NDArray[np.float64]:
        """Return mean drops in probability, float64 (S, S)."""
        crops = np.where(self._hidden, filled(crop, self._fill), crop)
        whole, *others = self._output.probability(np.concatenate([crop[None], crops]), target)
        drops = whole - np.array(others)
        sums = np.tensordot(drops, self._hidden, axes=1)
        return np.asarray(sums / self._hidden.sum(axis=0))


def _squares(side: int, patch: int, stride: int) -> NDArray[np.bool_]:
    """Return which pixels each square hides, bool (places, side, side)."""
    starts = np.arange(stride - patch, side, stride)
    places = np.arange(side)
    within = (places >= starts[:, None]) & (places < starts[:, None] + patch)
    squares = within[:, None, :, None] & within[None, :, None, :]
    return squares.reshape(-1, side, side)
