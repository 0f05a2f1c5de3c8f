"""Checks of a network's options, whose values come from recipes and may be of any type.

Each raises a ValueError whose text is the end of a sentence that `build_network` begins.
"""

from __future__ import annotations

from collections.abc import Sequence


def whole_number(option: str, value: int) -> int:
    """Return an option that counts something, from 1 up."""
    if not _counts(value):
        raise ValueError(f"option {option!r} must be a whole number from 1 up, not {value!r}")
    return value


def whole_numbers(option: str, value: Sequence[int], fewest: int = 1) -> tuple[int, ...]:
    """Return an option that lists counts from 1 up, such as the filters of each convolution."""
    listed = isinstance(value, (list, tuple))
    if not listed or len(value) < fewest or not all(_counts(v) for v in value):
        raise ValueError(
            f"option {option!r} must list {fewest} or more whole numbers from 1 up, not {value!r}"
        )
    return tuple(value)


def share(option: str, value: float) -> float:
    """Return an option that is the share of what is dropped, or kept: 0 or more, less than 1."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value < 1:
        raise ValueError(f"option {option!r} must be from 0 to less than 1, not {value!r}")
    return float(value)


def switch(option: str, value: bool) -> bool:
    """Return an option that is on or off."""
    if not isinstance(value, bool):
        raise ValueError(f"option {option!r} must be true or false, not {value!r}")
    return value


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
