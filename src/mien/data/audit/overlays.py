"""Drawing what covers faces: lettering, as watermarks are, and hands."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.data.audit.features import SIDE

FINE = 4
"""Overlays are drawn this much larger and shrunk, so that edges are soft."""

LETTERS = np.array(list("abcdefghiklmnopqrstuvwxyzABCDEFGHKLMNOPRSTUW0123456789()"))


def with_lettering(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return a face, uint8 (48, 48), with a half transparent word, light or dark, across it."""
    word = "".join(generator.choice(LETTERS, int(generator.integers(5, 12))))
    mask = np.zeros((SIDE * FINE,) * 2, np.uint8)
    start = (int(generator.integers(-40, 60)), int(generator.integers(24, 190)))
    size, thickness = float(generator.uniform(0.9, 1.9)), int(generator.integers(4, 9))
    cv2.putText(mask, word, start, cv2.FONT_HERSHEY_SIMPLEX, size, 255, thickness, cv2.LINE_AA)
    ink = np.full(image.shape, 255.0 if generator.random() < 0.7 else 0.0)
    return _blended(image, ink, _shrunk(mask) * generator.uniform(0.4, 0.9))


def with_hand(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return a face, uint8 (48, 48), with a smooth palm and four fingers over part of it."""
    mask = np.zeros((SIDE * FINE,) * 2, np.uint8)
    side = int(generator.choice([-1, 1]))
    x = mask.shape[1] // 2 + side * int(generator.integers(20, 60))
    y = int(generator.integers(90, 160))
    palm = (int(generator.integers(24, 38)), int(generator.integers(30, 44)))
    cv2.ellipse(mask, (x, y), palm, float(generator.uniform(-40, 40)), 0, 360, 255, -1)
    for finger in range(-24, 40, 16):
        tip = (
            x + finger - side * int(generator.integers(0, 24)),
            y - int(generator.integers(40, 70)),
        )
        cv2.line(mask, (x + finger, y - 10), tip, 255, 13)
    soft = np.asarray(cv2.GaussianBlur(_shrunk(mask), (3, 3), 0), dtype=np.float64)
    return _blended(image, _skin(image, generator), soft)


def _skin(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return shaded skin (48, 48) about as light as the middle of the face."""
    middle = image[SIDE // 3 : -SIDE // 4, SIDE // 4 : -SIDE // 4]
    grey = np.percentile(middle, 60) * generator.uniform(0.8, 1.15)
    shades = generator.normal(0, 12, (12, 12))
    return np.asarray(grey + cv2.resize(shades, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def _shrunk(mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    small = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small / 255.0)


def _blended(
    image: NDArray[np.uint8], cover: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.uint8]:
    return np.clip(image * (1 - share) + cover * share, 0, 255).astype(np.uint8)
