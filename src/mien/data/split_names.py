"""The names of the splits, as datasets write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

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

SPLIT_WORD = re.compile(rf"(?<![^\W\d_])({'|'.join(SPLIT_NAMES)})(?:sets?)?(?![^\W\d_])")
"""A word that names a split, with no other letter beside it: of `trained` it is no word."""


def split_in(names: Sequence[str]) -> Split:
    """Return the split that the last name with such a word says, "" if none does.

    A name with words of several splits, such as `train_val`, says none.

    Args:
        names: Of folders, from the outermost on, such as `train`, `val_set` or `FER2013Test`.
    """
    words = (SPLIT_WORD.findall(name.lower()) for name in reversed(names))
    splits = {SPLIT_NAMES[word] for word in next(filter(None, words), ())}
    return splits.pop() if len(splits) == 1 else ""


def named_split(text: str, where: str) -> Split:
    """Return the split that a name in any case means; that of "" is "".

    Raises:
        DataError: If it means none; says where, and names the nearest.
    """
    if text and text.lower() not in SPLIT_NAMES:
        raise DataError(f"{where}: {unknown_name('split', text, SPLIT_NAMES)}")
    return SPLIT_NAMES[text.lower()] if text else ""
