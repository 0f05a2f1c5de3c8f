"""Evening out the light of a face, so that a network sees the expression and not the lamp."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mien.preprocess import Image

CLIP = 2.0
"""How much steeper than even a tile's histogram may become (CLAHE); more makes noise of skin."""

TILES = 4
"""Tiles along each side: about as large as an eye or a mouth."""


def unchanged(face: Image, gamma: float) -> Image:
    """Return the face as it is."""
    return face


def equalised(face: Image, gamma: float) -> Image:
    """Spread the grey values so that each is about equally frequent."""
    return np.asarray(cv2.equalizeHist(face), dtype=np.uint8)


def clahe(face: Image, gamma: float) -> Image:
    """Equalise tile by tile, with limited contrast (Zuiderveld, 1994): also for light from a side.

    Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV.
    """
    steps = cv2.createCLAHE(clipLimit=CLIP, tileGridSize=(TILES, TILES))
    return np.asarray(steps.apply(face), dtype=np.uint8)


def gamma_corrected(face: Image, gamma: float) -> Image:
    """Raise the grey values, as shares of white, to the power `gamma`; below 1 brightens."""
    curve = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return np.asarray(curve[face], dtype=np.uint8)


ILLUMINATIONS: dict[str, Callable[[Image, float], Image]] = {
    "none": unchanged,
    "equalise": equalised,
    "clahe": clahe,
    "gamma": gamma_corrected,
}
"""What takes a face, uint8 (H, W) grey, and the gamma, to the face in other light, by name."""
