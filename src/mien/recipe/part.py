"""What all parts of a recipe share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Part(BaseModel):
    """A table of a recipe: unknown keys are errors, and nothing changes after it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError("Range should go from the smaller to the larger number")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_in_order)]
"""A range of numbers, the smaller first."""
