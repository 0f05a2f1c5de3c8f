"""CK+48 as Kaggle ships it: `CK+48/<emotion>/<subject>_<sequence>_<frame>.png`, also zipped.

The last three frames of each labelled sequence of the Extended Cohn-Kanade dataset (Lucey et al.,
"The Extended Cohn-Kanade Dataset (CK+)", CVPR Workshops 2010), cropped to 48x48 grey pixels: 981
images of 118 subjects in seven classes, with contempt and without neutral. The three frames are
near-copies of each other, so a random split puts a test face's twin into training.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from mien.data.readers import READERS
from mien.data.readers.folder import Folder
from mien.labels import label_set

NAME = re.compile(r"(S\d{3})_(\d{3})_(\d{8})\.png")
"""Subject, sequence and frame."""


@READERS.register("ckplus48")
class CkPlus48(Folder):
    """Reader of CK+48; the subject is the first part of the file's name."""

    labels = label_set("ckplus7")
    order = 10

    def accepts(self, path: Path) -> bool:
        """Accept trees with class folders whose pictures are all named like CK+'s."""
        pictures = [file for file in self._files(path) if file.path.suffix.lower() == ".png"]
        return bool(pictures) and all(
            NAME.fullmatch(file.path.name) and self._names.knows(file.path.parent.name)
            for file in pictures
        )

    def subject(self, path: PurePosixPath) -> str:
        """Return the subject, such as "S010"; "" for a name that is not CK+'s."""
        match = NAME.fullmatch(path.name)
        return match.group(1) if match else ""
