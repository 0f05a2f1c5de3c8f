"""The names of the splits, as datasets write them."""

from __future__ import annotations

from mien.data.sample import Split
from mien.errors import DataError, unknown_name

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "publictest": "val",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
}
"""What splits are called in folders, files and columns, in lower case."""


def named_split(text: str, where: str) -> Split:
    """Return the split that a name in any case means; that of "" is "".

    Raises:
        DataError: If it means none; says where, and names the nearest.
    """
    if text and text.lower() not in SPLIT_NAMES:
        raise DataError(f"{where}: {unknown_name('split', text, SPLIT_NAMES)}")
    return SPLIT_NAMES[text.lower()] if text else ""
