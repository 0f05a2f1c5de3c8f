"""Methods of explanation: one per file, found by name in `METHODS`.

A method's file imports nothing beyond the base install when it is imported: the registry reads all
of them, and a model can be explained by occlusion where there is no training framework.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import MissingExtraError
from mien.explanation.output import Output
from mien.explanation.settings import Settings
from mien.preprocess import Image
from mien.registry import Registry


class Method(Protocol):
    """Says which pixels of a face speak for an expression."""

    def __call__(self, crop: Image, target: int) -> NDArray[np.float64]:
        """Return a heatmap.

        Args:
            crop: uint8 (S, S), grey, of the model's size.
            target: Index of the expression in the output.

        Returns:
            float64 (S, S): above 0 speaks for the expression, below 0 against it.
        """
        ...


METHODS: Registry[Callable[[Output, Settings], Method]] = Registry(
    "method of explanation", "mien.explanation.methods"
)
"""By name, what makes a method for an output of a model."""


def need_gradients(method: str) -> None:
    """Check that what follows gradients is installed, without importing it.

    Raises:
        MissingExtraError: If it is not; says how to install it.
    """
    if any(find_spec(module) is None for module in ("torch", "captum")):
        raise MissingExtraError(f"The method {method!r}", "train")
