"""Everything there is to say about one face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from mien.explanation.contributions import Contributions, region_contributions
from mien.explanation.explanation import Explanation
from mien.explanation.faithfulness import CellTest, Faithfulness, region_faithfulness
from mien.explanation.fill import filled
from mien.explanation.landmarks import Points
from mien.explanation.methods import METHODS
from mien.explanation.output import Output
from mien.explanation.regions import REGIONS, region_map
from mien.explanation.settings import Settings
from mien.preprocess import Image

BY_REGION = "regions"
"""What the contributions of regions are called beside the methods."""


@dataclass(frozen=True, eq=False)
class ExplainedFace:
    """A face and what speaks for its expression.

    Args:
        name: What the face is called: its id, or its number in a photo.
        subject: Who is shown, "" where unknown.
        crop: uint8 (S, S), grey.
        landmarks: Where they are in the crop; None if the regions are at their canonical places.
        probabilities: float64 (C,), in the order of the output's expressions.
        expression: What is explained.
        explanations: One for each method.
        contributions: Of the regions.
        faithfulness: By method, and by region under `BY_REGION`.
    """

    name: str
    subject: str
    crop: NDArray[np.uint8]
    landmarks: Points | None
    probabilities: NDArray[np.float64]
    expression: str
    explanations: tuple[Explanation, ...]
    contributions: Contributions
    faithfulness: dict[str, Faithfulness]

    @property
    def probability(self) -> float:
        """Of the expression on the whole face, 0 to 1."""
        return float(self.contributions.values[0])

    def strongest_regions(self, count: int) -> list[tuple[str, float]]:
        """Return the regions that contribute most, and how much, the strongest first."""
        shapley = self.contributions.shapley
        order = np.argsort(-shapley, kind="stable")[:count]
        return [(REGIONS[region], float(shapley[region])) for region in order]


class Explainer:
    """Explains faces by chosen methods. Build it once and call it for many faces.

    Args:
        output: What is explained.
        methods: Names of `METHODS`.
        settings: Of all methods.

    Raises:
        MienError: If there is no such method, or the model cannot be explained by it.
        MissingExtraError: If a method needs what is not installed.
    """

    def __init__(
        self,
        output: Output,
        methods: Sequence[str] = ("occlusion",),
        settings: Settings | None = None,
    ) -> None:
        self.output = output
        self.settings = settings or Settings()
        makers = {name: METHODS[name] for name in methods}
        self._methods = {name: make(output, self.settings) for name, make in makers.items()}

    def explain(self, crop: Image, expression: str | None = None) -> tuple[Explanation, ...]:
        """Return what each method says of a face.

        Args:
            crop: uint8 (S, S), grey, as `card.preprocess.crop` cuts it.
            expression: What is explained, in any known spelling; None for the most probable.

        Raises:
            ImageError: If the crop has another type or shape.
            MienError: If the output has no such expression.
        """
        target = self.output.target(crop, expression)
        probability = float(self.output.probability(crop[None], target)[0])
        name = self.output.head.expressions[target]
        return tuple(
            Explanation(method, name, probability, explain(crop, target))
            for method, explain in self._methods.items()
        )

    def regions(
        self, crop: Image, expression: str | None = None, landmarks: Points | None = None
    ) -> Contributions:
        """Return what each region of a face contributes.

        Args:
            crop: uint8 (S, S), grey.
            expression: As for `explain`.
            landmarks: Where they are in the crop; None for their canonical places.
        """
        target = self.output.target(crop, expression)
        placed = region_map(self.output.side, landmarks)
        empty = filled(crop, self.settings.fill)
        return region_contributions(self.output, crop, empty, placed, target)

    def study(
        self,
        crop: Image,
        expression: str | None = None,
        landmarks: Points | None = None,
        name: str = "",
        subject: str = "",
    ) -> ExplainedFace:
        """Explain a face by every method and by region, and measure how faithful that is."""
        probabilities = self.output.probabilities(crop[None])[0]
        explanations = self.explain(crop, expression)
        contributions = self.regions(crop, expression, landmarks)
        target = self.output.target(crop, expression)
        seed = crc32(crop.tobytes())  # orders of each face's own, the same in every run
        test = CellTest(self.output, crop, filled(crop, self.settings.fill), target, seed)
        tests = {one.method: test(one.heatmap) for one in explanations}
        return ExplainedFace(
            name=name,
            subject=subject,
            crop=crop,
            landmarks=landmarks,
            probabilities=probabilities,
            expression=self.output.head.expressions[target],
            explanations=explanations,
            contributions=contributions,
            faithfulness={**tests, BY_REGION: region_faithfulness(contributions, seed)},
        )
