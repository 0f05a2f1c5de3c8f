"""How a person looks at rest, and how far each frame is from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.inference.video.timeline import Timeline

REST = 0.25
"""The share of a person's frames, those in which neutral is most probable, that count as rest.
Frames answered "not a face" are none of the person's."""


def check_neutral(expressions: Sequence[str]) -> None:
    """Check that a baseline can be found among these expressions.

    Raises:
        MienError: If they do not hold neutral.
    """
    if "neutral" not in expressions:
        raise MienError(
            f"A baseline needs a label set with neutral. Got {', '.join(expressions)} instead."
        )


def neutral_baseline(timeline: Timeline) -> NDArray[np.float64] | None:
    """Return a person's mean probabilities at rest.

    Some faces at rest look sad or angry to others. What a person shows is then better seen in how
    far a frame is from that person's own rest.

    Returns:
        float64 (E,), summing to 1; None if neutral leads in none of the frames that count as rest:
        who always smiles would be compared with their own smile. None, too, if no frame is left.

    Raises:
        MienError: If the expressions do not hold neutral.
    """
    check_neutral(timeline.expressions)
    index = timeline.expressions.index("neutral")
    faces = np.flatnonzero(timeline.shows_face)
    neutral = timeline.probabilities[faces, index]
    rest = faces[np.argsort(-neutral, kind="stable")[: math.ceil(REST * len(faces))]]
    if not (timeline.leading[rest] == index).any():
        return None
    return np.asarray(timeline.probabilities[rest].mean(axis=0))
