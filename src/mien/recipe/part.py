"""What all parts of a recipe share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Part(BaseModel):
    """A table of a recipe: unknown keys are errors, and nothing changes after it was read.

    All its numbers are finite.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError("Range should go from the smaller to the larger number")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_in_order)]
"""A range of numbers, the smaller first."""


def within(smallest: float, largest: float) -> AfterValidator:
    """Return a check that a range of numbers lies between two others, these included."""

    def check(bounds: tuple[float, float]) -> tuple[float, float]:
        if not smallest <= bounds[0] <= bounds[1] <= largest:
            raise ValueError(f"Range should lie between {smallest:g} and {largest:g}")
        return bounds

    return AfterValidator(check)
