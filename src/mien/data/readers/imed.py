"""IMED, the Indonesian Mixed Emotion Dataset: photographs of 15 people in seven emotions.

Its authors give it out on request: colour photographs of 720x480 pixels with a black frame around
them. How the folders are laid out is not published; one folder per subject with one per emotion is
assumed, `IMED/<subject>/<emotion>/*.jpg`, with English or Indonesian names. For another layout,
`mien data prepare --layout imed --pattern` says where subject and emotion stand. Its faces are
found and cut out by `mien data prepare`.
"""

from __future__ import annotations

import re
from pathlib import Path

from mien.data.readers import READERS
from mien.data.readers.pattern import ByPattern
from mien.data.readers.suffixes import is_picture
from mien.data.split_names import split_in
from mien.data.tree import tree_files
from mien.errors import DataError
from mien.labels import label_set

NAME = re.compile(r"(?<![a-z])imed(?![a-z])", re.IGNORECASE)


@READERS.register("imed")
class Imed(ByPattern):
    """Reader of IMED; the default pattern is `{subject}/{emotion}/{name}`."""

    labels = label_set("basic7")
    order = 30

    def accepts(self, path: Path) -> bool:
        """Accept folders and zip archives with "imed" as a word of their name.

        Not where all pictures lie in split folders, which would be taken for subjects.
        """
        tree = path.is_dir() or path.suffix.lower() == ".zip"
        return tree and NAME.search(path.name) is not None and not _is_split(path)


def _is_split(path: Path) -> bool:
    try:
        pictures = [file.path for file in tree_files(path) if is_picture(file)]
    except DataError:  # the reader will say so
        return False
    # What the dataset's own folder is called says nothing of its parts.
    above = [[part for part in p.parts[:-2] if not NAME.search(part)] for p in pictures]
    return bool(above) and all(split_in(folders) for folders in above)
