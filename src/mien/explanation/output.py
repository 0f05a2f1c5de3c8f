"""One output of a model, as every explanation sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.card import Head
from mien.inference.classifier import Classifier
from mien.preprocess import Image, Preprocess


@dataclass(frozen=True)
class Output:
    """One output of a model.

    Args:
        classifier: The model.
        head: The output, one of the model's.
        source: What gradients are taken of: the model's name, its file, or the run it comes from.
    """

    classifier: Classifier
    head: Head
    source: str

    @classmethod
    def of(
        cls, classifier: Classifier, head: str | None = None, source: str | None = None
    ) -> Output:
        """Return an output by name; None for the first, and for the model's own file.

        Raises:
            ModelError: If the model has no such output.
        """
        card = classifier.card
        chosen = card.heads[0] if head is None else card.head(head)
        return cls(classifier, chosen, source or str(classifier.path))

    @property
    def preprocess(self) -> Preprocess:
        """How a face is cut out and seen."""
        return self.classifier.card.preprocess

    @property
    def side(self) -> int:
        """Height and width of a crop in pixels."""
        return self.preprocess.size

    def probabilities(self, crops: Image) -> NDArray[np.float64]:
        """Return probabilities, float64 (N, C), of crops, uint8 (N, side, side).

        Raises:
            ImageError: If the crops have another type or shape.
        """
        return self.classifier.classify(crops, self.head.name)

    def probability(self, crops: Image, target: int) -> NDArray[np.float64]:
        """Return the probability of one expression, float64 (N,), of crops.

        Args:
            crops: uint8 (N, side, side).
            target: The expression's index in the output.
        """
        return self.probabilities(crops)[:, target]

    def target(self, crop: Image, expression: str | None = None) -> int:
        """Return the index of an expression; of the most probable one of a crop for None.

        Raises:
            MienError: If the output has no such expression.
        """
        if expression is not None:
            return self.head.labels.index(expression)
        return int(self.probabilities(crop[None])[0].argmax())
