"""FER2013 as Kaggle also ships it: `train|test/<emotion>/*.jpg`.

The file names of some copies tell PublicTest from PrivateTest (`PublicTest_12345.jpg`); where they
do, PublicTest is `val`. Where they do not, all of `test/` is `test`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from mien.data.readers import READERS
from mien.data.readers.fer2013 import CSV_NAME, USAGES
from mien.data.readers.folder import Folder
from mien.data.sample import Split
from mien.data.split_names import split_in
from mien.labels import label_set


@READERS.register("fer2013-folder")
class Fer2013Folder(Folder):
    """Reader of FER2013's folder tree."""

    labels = label_set("basic7")
    order = -1
    """Before the reader of the CSV, which takes any archive that is named so."""

    def accepts(self, path: Path) -> bool:
        """Accept trees with "fer2013" in their name, or FER2013's file names; archives, no CSV."""
        files = self._files(path)
        # Of an archive that holds both the CSV is read; a folder's CSV is to be named itself.
        if path.is_file() and any(file.path.name == CSV_NAME for file in files):
            return False
        named = "fer2013" in path.name.lower() or any(_usage(file.path) for file in files)
        return named and {"train", "test"} <= {split_in(file.path.parts[:-2]) for file in files}

    def split(self, path: PurePosixPath) -> Split:
        """Return the split the file's name tells, else the folder's."""
        return _usage(path) or super().split(path)


def _usage(path: PurePosixPath) -> Split:
    return USAGES.get(path.name.partition("_")[0], "")
