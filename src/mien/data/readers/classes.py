"""The class names of one dataset: what each means, and what of that its history is to say."""

from __future__ import annotations

from collections import Counter

from mien.labels import ClassNames, class_key


class Classes:
    """Collects a dataset's class names while its faces are listed.

    Args:
        names: What they mean.
    """

    def __init__(self, names: ClassNames) -> None:
        self._names = names
        self._meant: dict[str, dict[str, str]] = {}
        self._left_out: Counter[str] = Counter()

    def expression(self, name: str) -> str | None:
        """Return what a face of a class shows; "" for "", None if it is to be left out.

        Raises:
            MienError: If the name means no known expression; names the nearest.
        """
        if not name:
            return ""
        if self._names.leaves_out(name):
            self._left_out[class_key(name)] += 1
            return None
        expression = self._names.expression(name)
        # Of Happy and happy, which are one name, the first is told.
        self._meant.setdefault(expression, {}).setdefault(class_key(name), name)
        return expression

    @property
    def notes(self) -> tuple[str, ...]:
        """Which classes were left out, and which were taken for one: a sentence each."""
        left_out = (
            f"{count:,} faces of class {name!r} left out"
            for name, count in sorted(self._left_out.items())
        )
        together = (
            f"the classes {' and '.join(map(repr, sorted(names.values())))} are one, {expression}"
            for expression, names in sorted(self._meant.items())
            if len(names) > 1
        )
        return (*left_out, *together)
