"""OpenCV without what it prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

SILENT = 0
"""OpenCV's level at which it prints nothing."""


@contextmanager
def silent() -> Iterator[None]:
    """Let OpenCV print nothing."""
    # Its versions before 4.13 have the one, later ones the other.
    set_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    level = set_level(SILENT)
    try:
        yield
    finally:
        set_level(level)
