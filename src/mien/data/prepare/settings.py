"""What is done to each picture when a dataset is prepared."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from mien.data.prepare.illumination import ILLUMINATIONS
from mien.errors import DataError, unknown_name
from mien.inference.detectors import DETECTORS

NO_DETECTOR = "none"
"""For pictures that are faces already."""

SIZES = (8, 512)
GAMMAS = (0.1, 10.0)

PREPARED = "prepared ("
"""How the step of a prepared dataset's history begins; a summary and a bracket follow."""

ILLUMINATION, LEVEL = "illumination ", "eyes level"
"""How a summary names what a network's input does not repeat."""


class Preparation(BaseModel):
    """The steps from a photograph to a face; the same steps give the same faces.

    Args:
        detector: A name of `DETECTORS`, or "none" for pictures that are faces already: of those the
            largest square in the middle is taken, and no frame is looked for.
        detector_weights: The path of its weights; empty for its usual ones.
        size: Height and width of the prepared faces in pixels, 8 to 512.
        illumination: A name of `ILLUMINATIONS`.
        gamma: The power for the illumination "gamma", .1 to 10.
        level_eyes: Whether faces are rotated so that their eyes are level.
        cut_frame: Whether a black frame is cut off first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: str = "haar"
    detector_weights: str = ""
    size: int = 48
    illumination: str = "none"
    gamma: float = 0.7
    level_eyes: bool = False
    cut_frame: bool = True

    def check(self) -> None:
        """Check that these steps can be done.

        Raises:
            DataError: Naming the first that cannot.
        """
        detectors = [*DETECTORS, NO_DETECTOR]
        if self.detector not in detectors:
            raise DataError(unknown_name("detector", self.detector, detectors))
        if self.illumination not in ILLUMINATIONS:
            raise DataError(unknown_name("illumination", self.illumination, ILLUMINATIONS))
        _check_range("size", self.size, SIZES)
        _check_range("gamma", self.gamma, GAMMAS)
        if self.level_eyes and self.detector == NO_DETECTOR:
            raise DataError("Faces can be levelled only if they are looked for: name a detector.")

    @property
    def summary(self) -> str:
        """What is done, in words."""
        parts = [
            "no detection" if self.detector == NO_DETECTOR else f"faces by {self.detector}",
            f"{self.size}x{self.size} grey",
        ]
        if self.illumination != "none":
            gamma = f" {self.gamma:g}" if self.illumination == "gamma" else ""
            parts.append(f"{ILLUMINATION}{self.illumination}{gamma}")
        return ", ".join([*parts, *([LEVEL] if self.level_eyes else [])])


def done_before(history: Iterable[str]) -> list[str]:
    """Return what was done to faces that a model's own preprocessing does not do to a photo.

    Args:
        history: Of a dataset; a store keeps it, and combining several does.

    Returns:
        Such as "illumination clahe" and "eyes level", each once.
    """
    summaries = [
        step.partition(PREPARED)[2].partition(")")[0] for step in history if PREPARED in step
    ]
    parts = [part for summary in summaries for part in summary.split(", ")]
    return [p for p in dict.fromkeys(parts) if p.startswith(ILLUMINATION) or p == LEVEL]


def _check_range(name: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low <= value <= high:
        raise DataError(f"The {name} must be {low:g} to {high:g}. Got {value:g} instead.")
