"""Faces that a file names with one more top folder than a dataset does, or with one less.

Their ids are paths: in an archive of a folder they begin with it, in the unpacked folder they do
not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def ids_as_in(names: Iterable[str], ids: Sequence[str]) -> list[str]:
    """Return a dataset's ids as a file that names some of its faces would have them.

    Args:
        names: What the file names.
        ids: The dataset's.

    Returns:
        The ids as they are; but where the file names none of them, and all that it names once their
        common top folder is taken away or its own is put before them, the ids so changed.
    """
    named = set(names)
    if not named.isdisjoint(ids):
        return list(ids)
    own, other = _top(ids), _top(named)
    for changed in ([i[len(own) :] for i in ids] if own else [], [other + i for i in ids]):
        if named and named <= set(changed):
            return changed
    return list(ids)


def _top(paths: Iterable[str]) -> str:
    """Return the folder with its slash that all paths begin with; "" if there is none."""
    tops = {path[: path.find("/") + 1] for path in paths}
    return tops.pop() if len(tops) == 1 else ""
