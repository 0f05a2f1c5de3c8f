"""Putting what belongs together into groups."""

from __future__ import annotations

from collections.abc import Iterable


def groups_of(numbers: Iterable[int]) -> dict[int, list[int]]:
    """Return the positions of each group number, in order of first appearance."""
    groups: dict[int, list[int]] = {}
    for index, number in enumerate(numbers):
        groups.setdefault(number, []).append(index)
    return groups


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return a group number for each of `count` things; things joined by pairs share one.

    Args:
        count: How many things there are.
        pairs: Positions that belong together, from 0.

    Returns:
        For each thing the smallest position in its group.
    """
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for one, other in pairs:
        parent[max(root(one), root(other))] = min(root(one), root(other))
    return [root(index) for index in range(count)]
