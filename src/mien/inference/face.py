"""What recognition finds in a picture: a face, and the reading of its expression."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from mien.errors import MienError
from mien.inference.percent import percent
from mien.labels import LabelSet
from mien.preprocess import Square

Point = tuple[float, float]
"""A place (x, y) in a picture's pixels."""

Eyes = tuple[Point, Point]
"""The middles of a person's right and left eye; the right one is on the left of a picture that is
neither mirrored nor upside down."""

Landmarks = tuple[Point, Point, Point, Point, Point]
"""A person's right eye, left eye, tip of the nose, right and left corner of the mouth."""

AnyReading = TypeVar("AnyReading", bound="Reading")

SUM_TOLERANCE = 1e-4
"""How far the probabilities of a reading may sum from 1."""


@dataclass(frozen=True)
class Box:
    """An upright rectangle in a picture's pixels; (0, 0) is the picture's top left corner.

    Args:
        x: Left edge.
        y: Top edge.
        width: Greater than 0.
        height: Greater than 0.

    Raises:
        MienError: If a value is not finite, or width or height is not positive.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        values = (self.x, self.y, self.width, self.height)
        if not all(map(math.isfinite, values)) or self.width <= 0 or self.height <= 0:
            raise MienError(
                f"A box must have finite edges, a positive width and a positive height. "
                f"Got x {self.x}, y {self.y}, width {self.width}, height {self.height} instead."
            )

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    def overlap(self, other: Box) -> float:
        """Return the area in square pixels that two boxes share."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height)

    def clipped(self, width: int, height: int) -> Box | None:
        """Return the part that lies inside a picture of this size; None if there is none."""
        left, top = max(0.0, self.x), max(0.0, self.y)
        right = min(float(width), self.x + self.width)
        bottom = min(float(height), self.y + self.height)
        if right <= left or bottom <= top:
            return None
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Face:
    """A face that a detector found.

    Args:
        box: Where it is, inside the picture.
        score: How sure the detector is, on that detector's own scale; higher is surer.
        square: The region the classifier looks at; it may reach beyond the picture's edges.
        eyes: Where the eyes are; None from a detector that does not tell.
        nose_and_mouth: Where the tip of the nose and the right and left corner of the mouth are;
            None from a detector that does not tell.

    Raises:
        MienError: If the score is not finite.
    """

    box: Box
    score: float
    square: Square
    eyes: Eyes | None = None
    nose_and_mouth: tuple[Point, Point, Point] | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.score):
            raise MienError(f"A face's score must be a finite number. Got {self.score!r} instead.")

    @property
    def landmarks(self) -> Landmarks | None:
        """All five landmarks; None unless all are known."""
        if self.eyes is None or self.nose_and_mouth is None:
            return None
        return (*self.eyes, *self.nose_and_mouth)


Outcome = Literal["sure", "uncertain", "not a face"]


@dataclass(frozen=True)
class Verdict:
    """What is to be thought of a reading.

    Args:
        outcome: Whether the model is sure of the expression, or says something else instead.
        agreement: How far raters would agree, as the chance that two of them name the same; None
            from a model that does not tell.
        not_a_face: How likely the region is no usable face, 0 to 1; None likewise.
    """

    outcome: Outcome = "sure"
    agreement: float | None = None
    not_a_face: float | None = None


@dataclass(frozen=True)
class Reading:
    """The expression on one face of a picture.

    Args:
        source: The picture's path as text; None for a picture given as an array.
        index: Number of the face in its picture, from 0: by size, largest first, then from left.
        face: Where the face is.
        labels: The expressions, in the order of `probabilities`.
        probabilities: One value from 0 to 1 per expression; they sum to 1.
        verdict: What is to be thought of it.

    Raises:
        MienError: If `index` is negative, or `probabilities` has another length than `labels`,
            a value outside 0 to 1, or a sum that is not 1.
    """

    source: str | None
    index: int
    face: Face
    labels: LabelSet
    probabilities: tuple[float, ...]
    verdict: Verdict = field(default=Verdict(), kw_only=True)

    def __post_init__(self) -> None:
        if self.index < 0:
            raise MienError(f"A reading's index must be 0 or more. Got {self.index} instead.")
        if len(self.probabilities) != len(self.labels):
            raise MienError(
                f"A reading in label set {self.labels.name!r} must have {len(self.labels)} "
                f"probabilities. Got {len(self.probabilities)} instead."
            )
        inside = all(0 <= p <= 1 for p in self.probabilities)
        if not inside or abs(math.fsum(self.probabilities) - 1) > SUM_TOLERANCE:
            raise MienError(
                f"A reading's probabilities must lie in 0 to 1 and sum to 1. "
                f"Got {', '.join(f'{p:g}' for p in self.probabilities)} instead."
            )

    @property
    def expression(self) -> str:
        """The most probable expression; of equals the first in the label set's order."""
        return self.labels.expressions[self.probabilities.index(self.confidence)]

    @property
    def confidence(self) -> float:
        """Probability of the most probable expression, 0 to 1."""
        return max(self.probabilities)

    @property
    def answer(self) -> str:
        """The most probable expression if the model is sure; else "uncertain" or "not a face"."""
        return self.expression if self.verdict.outcome == "sure" else self.verdict.outcome

    @property
    def caption(self) -> str:
        """What stands beside the face in a marked picture."""
        sure = self.verdict.outcome == "sure"
        return f"{self.expression} {percent(self.confidence)}" if sure else self.answer

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as plain values, ready for JSON."""
        box = self.face.box
        return {
            "source": self.source,
            "face": self.index,
            "answer": self.answer,
            "expression": self.expression,
            "confidence": self.confidence,
            "probabilities": dict(zip(self.labels.expressions, self.probabilities, strict=True)),
            "agreement": self.verdict.agreement,
            "not_a_face": self.verdict.not_a_face,
            "box": {"x": box.x, "y": box.y, "width": box.width, "height": box.height},
            "detector_score": self.face.score,
        }

    def relabelled(self: AnyReading, labels: LabelSet) -> AnyReading:
        """Keep the expressions of a smaller label set and renormalise their probabilities to 1.

        Who is sure of an expression that is not kept is not sure of one that is.

        Raises:
            MienError: If this reading lacks one of the expressions, or gives all of them
                probability 0: how the rest divides among them is then not known.
        """
        kept = [self.probabilities[i] for i in labels.positions_in(self.labels)]
        # The largest is divided out first: a sum of numbers near the smallest float has few digits.
        largest = max(kept)
        if largest == 0:
            raise MienError(
                f"Face {self.index} of {self.source or 'the picture'} cannot be read in label set "
                f"{labels.name!r}: each of its expressions has probability 0."
            )
        shares = [p / largest for p in kept]
        total = math.fsum(shares)
        verdict = self.verdict
        if verdict.outcome == "sure" and self.expression not in labels.expressions:
            verdict = replace(verdict, outcome="uncertain")
        return replace(
            self, labels=labels, probabilities=tuple(s / total for s in shares), verdict=verdict
        )


def by_size(faces: Iterable[Face]) -> list[Face]:
    """Return faces ordered by the area of their boxes, largest first, ties from left to right."""
    return sorted(faces, key=size_order)


def size_order(face: Face) -> tuple[float, float, float]:
    """Return what `by_size` sorts a face by."""
    return -face.box.area, face.box.x, face.box.y
