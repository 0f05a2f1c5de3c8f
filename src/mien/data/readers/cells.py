"""What a table's column is called, and what its cells say or do not say."""

from __future__ import annotations

import unicodedata
from typing import Any

from mien.labels import ClassNames

EMPTY = frozenset({"na", "nan", "<na>"})
"""What R and pandas write into a cell that says nothing, in lower case."""


def column_name(name: str) -> str:
    """Return a column's name as it is understood: `Subject` is no other column than `subject`."""
    return name.strip().lower()


def said(value: Any) -> str:
    """Return a cell's text, in one Unicode form and without blanks round it; "" if it says nothing.

    Whoever is called `none` is nobody; but 0 may be somebody.
    """
    text = _text(value)
    return "" if text.lower() in EMPTY | {"none"} else text


def said_class(value: Any, names: ClassNames) -> str:
    """Return a cell's class name; "" if it says nothing, and no class of the user's is called so.

    What a class `none` is, is for the user to say.
    """
    text = _text(value)
    return "" if text.lower() in EMPTY and not names.knows(text) else text


def _text(value: Any) -> str:
    """Return a cell's text; macOS may store an accented letter as two characters."""
    return "" if value is None else unicodedata.normalize("NFC", str(value)).strip()
