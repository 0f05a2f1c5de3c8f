"""Putting what belongs together into groups."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def groups_of(numbers: Iterable[int]) -> dict[int, list[int]]:
    """Return the positions of each group number, in order of first appearance."""
    groups: dict[int, list[int]] = {}
    for index, number in enumerate(numbers):
        groups.setdefault(number, []).append(index)
    return groups


def joined(numbers: NDArray[np.intp], pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the group numbers of N things after more of them were put together.

    Args:
        numbers: (N,), for each thing the smallest position in its group; `np.arange(N)` at first.
        pairs: (M, 2), positions that belong together.

    Returns:
        (N,), of the same meaning.
    """
    while True:
        found = numbers[pairs]
        apart = found[found[:, 0] != found[:, 1]]
        if len(apart) == 0:
            return numbers
        parent = np.arange(len(numbers))
        np.minimum.at(parent, apart.max(axis=1), apart.min(axis=1))
        while (parent[parent] != parent).any():
            parent = parent[parent]
        numbers = parent[numbers]
