"""What a table's cells say or do not say."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Any

from mien.labels import ClassNames

EMPTY = frozenset({"na", "nan", "<na>"})
"""What R and pandas write into a cell that says nothing, in lower case."""


def said(value: Any) -> str:
    """Return a cell's text, in one Unicode form and without blanks round it; "" if it says nothing.

    What is called `none` says nothing; but 0 may.
    """
    text = _text(value)
    return "" if text.lower() in EMPTY | {"none"} else text


def people(cells: Iterable[Any]) -> tuple[list[str], tuple[str, ...]]:
    """Return whom the subjects of a whole dataset name, "" for nobody, and how many were no name.

    Where another subject has two letters, as KA and KL in JAFFE, `NA` is a person, too.
    """
    texts = [_text(cell) for cell in cells]
    nobody = EMPTY | {"none"}
    if any(_is_initials(text) and text.lower() not in nobody for text in texts):
        nobody -= {"na"}
    found = Counter(text for text in texts if text.lower() in nobody)
    notes = (f"{n:,} subjects {text!r} taken for nobody" for text, n in sorted(found.items()))
    return ["" if text in found else text for text in texts], tuple(notes)


def _is_initials(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha()


def said_class(value: Any, names: ClassNames) -> str:
    """Return a cell's class name; "" if it says nothing, and no class of the user's is called so.

    What a class `none` is, is for the user to say.
    """
    text = _text(value)
    return "" if text.lower() in EMPTY and not names.knows(text) else text


def _text(value: Any) -> str:
    """Return a cell's text; macOS may store an accented letter as two characters."""
    return "" if value is None else unicodedata.normalize("NFC", str(value)).strip()
