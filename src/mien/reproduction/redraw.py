"""Small tests drawn again and again from what a network said of faces it was not trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.evaluation.metrics import Truth, accuracy
from mien.evaluation.predictions import Predictions
from mien.reproduction.result import Draws, Split


def redrawn(table: Predictions, per_class: int, times: int, seed: int) -> Draws:
    """Return the accuracies of balanced tests, each drawn without replacement.

    They are drawn from the test faces where those are more than one draw needs of every class, else
    from the faces of val, on which the epoch was selected.

    Args:
        table: Predictions with the splits val and test.
        per_class: Faces of a class in each draw.
        times: How many draws.
        seed: Of the drawing.

    Raises:
        MienError: If val has too few faces of a class, too.
    """
    for split in ("test", "val"):
        faces = table.judged(split)
        sizes = np.bincount(faces.truth, minlength=len(table.labels))
        if sizes.min() > per_class:
            return _drawn(faces, split, per_class, times, seed)
    raise MienError(
        f"Tests of {per_class} faces a class need more than that in val. Got {sizes.min()} of"
        f" {table.labels.expressions[int(sizes.argmin())]} instead."
    )


def _drawn(faces: Predictions, split: Split, per_class: int, times: int, seed: int) -> Draws:
    generator = np.random.default_rng(seed)
    shares = faces.probabilities
    picks = (_balanced(faces.truth, per_class, generator) for _ in range(times))
    found = tuple(accuracy(faces.truth[pick], shares[pick]) for pick in picks)
    return Draws(split=split, faces=len(faces.ids), per_class=per_class, accuracies=found)


def _balanced(truth: Truth, per_class: int, generator: np.random.Generator) -> NDArray[np.intp]:
    classes = (np.flatnonzero(truth == number) for number in np.unique(truth))
    return np.concatenate([generator.choice(c, per_class, replace=False) for c in classes])
