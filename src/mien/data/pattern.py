"""Where a tree's paths tell subject, emotion and split: `{subject}/{emotion}/{name}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from mien.errors import DataError, unknown_name

PLACEHOLDERS = ("subject", "emotion", "split", "name")

ABOVE = "above"
"""The key of what stands before the part of a path that a pattern describes."""

_PART = re.compile(r"\{(\w*)\}|(\*)")


class PathPattern:
    """What the end of each path of a tree looks like.

    A placeholder stands for some characters of one folder's or file's name: `{subject}`,
    `{emotion}`, `{split}`, `{name}` (the picture's own), and `{}` or `*` for what says nothing.
    Each takes as little as it can. A suffix such as `.jpg` may be left out; case does not matter.

    Args:
        text: The pattern, such as `{subject}/{emotion}/{name}` or `{subject}_{emotion}_{}`.

    Raises:
        DataError: If there is no `{emotion}`, a placeholder is unknown, stands twice, or follows
            another with nothing between.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        names = [match[1] or "" for match in _PART.finditer(text)]
        self._check(names)
        middle = "".join(_expressions(text))
        whole = rf"(?P<{ABOVE}>(?:.*/)?){middle}(?:\.[^./]+)?"
        self._regex = re.compile(whole, re.IGNORECASE | re.DOTALL)

    def match(self, path: PurePosixPath) -> Mapping[str, str] | None:
        """Return what the named placeholders stand for in a path; None if it does not fit.

        What comes before the pattern's start, such as "IMED/", is under the key `ABOVE`.
        """
        found = self._regex.fullmatch(str(path))
        return found.groupdict("") if found else None

    def _check(self, names: list[str]) -> None:
        where = f"The pattern {self.text!r}"
        for name in filter(None, names):
            if name not in PLACEHOLDERS:
                raise DataError(f"{where}: {unknown_name('placeholder', name, PLACEHOLDERS)}")
            if names.count(name) > 1:
                raise DataError(f"{where} must hold {{{name}}} only once.")
        if "emotion" not in names:
            raise DataError(f"{where} must hold {{emotion}}, which tells a picture's class.")
        if re.search(r"(?:\}|\*)(?:\{|\*)", self.text):
            raise DataError(f"{where} must hold something between two placeholders, such as '_'.")
        if re.search(r"[{}]", _PART.sub("", self.text)):
            raise DataError(f"{where} has a brace that belongs to no placeholder.")


def _expressions(text: str) -> list[str]:
    """Return the parts of a pattern as regular expressions."""
    parts, end = [], 0
    for match in _PART.finditer(text):
        parts.append(re.escape(text[end : match.start()]))
        parts.append(f"(?P<{match[1]}>[^/]+?)" if match[1] else "[^/]+?")
        end = match.end()
    return [*parts, re.escape(text[end:])]
