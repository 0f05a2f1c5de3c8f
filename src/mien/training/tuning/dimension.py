"""One key's values: a list of choices, or an interval of numbers."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Annotated, Any

from optuna.trial import Trial
from pydantic import BeforeValidator, Field, model_validator

from mien.errors import RecipeError
from mien.recipe.part import Part


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("it should be a number")
    return value


Number = Annotated[int | float, BeforeValidator(_number)]
"""Whole or not, as it was written; never infinite."""


BETWEEN = 0.381966
"""Where in an interval no round number lies."""


class Choices(Part):
    """A list of values, of any type the key may have.

    Args:
        choices: The values, each once.
    """

    choices: tuple[Any, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Choices:
        if not self.choices:
            raise ValueError("choices should list one value or more")
        names = self.names()
        repeated = next((n for n in names if sum(same(n, other) for other in names) > 1), None)
        if repeated is not None:
            raise ValueError(f"choices should list each value once, and {repeated!r} is repeated")
        return self

    def names(self) -> list[str | int | float | bool]:
        """Return the values as a storage keeps them: lists and tables as JSON."""
        return [
            v if isinstance(v, (str, int, float, bool)) else json.dumps(v, default=str)
            for v in self.choices
        ]

    def size(self) -> int:
        """Return how many values there are."""
        return len(self.choices)

    def grid(self) -> list[Any]:
        """Return all values."""
        return list(self.choices)

    def ends(self) -> list[Any]:
        """Return the values that must fit into a recipe."""
        return list(self.choices)

    def suggest(self, trial: Trial, key: str) -> Any:
        """Return the value that a trial takes."""
        names = self.names()
        chosen = trial.suggest_categorical(key, names)
        return self.choices[next(i for i, name in enumerate(names) if same(name, chosen))]

    def stored(self, value: Any) -> Any:
        """Return one of the values as a storage keeps it."""
        return self.names()[next(i for i, v in enumerate(self.choices) if same(v, value))]


class Interval(Part):
    """An interval of numbers with both ends; whole numbers if all that is given is whole.

    Args:
        low: The smallest value.
        high: The largest; left out where `step` passes over it.
        log: Search orders of magnitude alike.
        step: Distance between two values; for whole numbers 1 by default.
    """

    low: Number
    high: Number
    log: bool = False
    step: Number | None = Field(default=None)

    @model_validator(mode="after")
    def _fits(self) -> Interval:
        if self.low >= self.high:
            raise ValueError(f"low should be less than high, and {self.low} is not")
        if self.log and self.low <= 0:
            raise ValueError("low should be more than 0 where log is true")
        if self.step is not None and (self.step <= 0 or self.log):
            raise ValueError("step should be more than 0, and not be given where log is true")
        return self

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return all(isinstance(v, int) for v in (self.low, self.high, self.step or 1))

    def size(self) -> int:
        """Return how many values there are.

        Raises:
            RecipeError: If they cannot be counted.
        """
        if self.log or (self.step is None and not self.whole):
            raise RecipeError("a grid needs choices, or a step between low and high")
        low, high, step = self._decimals()
        return int((high - low) / step) + 1

    def grid(self) -> list[int | float]:
        """Return all values; those of a large interval take memory.

        Raises:
            RecipeError: If they cannot be counted.
        """
        return [self._value(number) for number in range(self.size())]

    def ends(self) -> list[int | float]:
        """Return the values that must fit into a recipe: one between, too, that may be broken."""
        if self.whole:
            return [self.low, self.high]
        between = self.low + BETWEEN * (self.high - self.low)
        return [self.low, between if self.step is None else self._value(1), self.high]

    def suggest(self, trial: Trial, key: str) -> int | float:
        """Return the value that a trial takes."""
        if self.whole:
            low, high = int(self.low), int(self.high)
            if self.log:
                return trial.suggest_int(key, low, high, log=True)
            return trial.suggest_int(key, low, int(self._last()), step=int(self.step or 1))
        if self.step is None:
            return trial.suggest_float(key, self.low, self.high, log=self.log)
        return trial.suggest_float(key, self.low, self._last(), step=self.step)

    def stored(self, value: Any) -> Any:
        """Return one of the values as a storage keeps it."""
        return value

    def _last(self) -> int | float:
        return self._value(self.size() - 1)

    def _value(self, number: int) -> int | float:
        low, _, step = self._decimals()
        value = low + number * step
        return int(value) if self.whole else float(value)

    def _decimals(self) -> tuple[Decimal, Decimal, Decimal]:
        # In decimals, or three steps of 0.1 would not be 0.3.
        low, high, step = (Decimal(str(v)) for v in (self.low, self.high, self.step or 1))
        return low, high, step


Dimension = Choices | Interval


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same; True is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
