"""CK+48 as Kaggle ships it: `CK+48/<emotion>/<subject>_<sequence>_<frame>.png`, also zipped.

The last three frames of each labelled sequence of the Extended Cohn-Kanade dataset (Lucey et al.,
"The Extended Cohn-Kanade Dataset (CK+)", CVPR Workshops 2010), cropped to 48x48 grey pixels: 981
images of 118 subjects in seven classes, with contempt and without neutral. The three frames are
near-copies of each other, so a random split puts a test face's twin into training.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from mien.data.pictures import Entry
from mien.data.readers import READERS
from mien.data.readers.folder import Folder
from mien.data.readers.suffixes import is_picture
from mien.labels import label_set

NAME = re.compile(r"(S\d{3})_(\d{3})_(\d{8})(?!\d)", re.IGNORECASE)
"""Subject, sequence and frame; what follows is no part of CK+'s names, such as " (1)" of a copy."""


@READERS.register("ckplus48")
class CkPlus48(Folder):
    """Reader of CK+48; the subject is the first part of the file's name."""

    labels = label_set("ckplus7")
    order = 10

    def accepts(self, path: Path) -> bool:
        """Accept trees with class folders of which most pictures are named like CK+'s."""
        pictures = [file.path for file in self._files(path) if is_picture(file)]
        fitting = sum(_fits(p) and self._names.knows(p.parent.name) for p in pictures)
        return 2 * fitting > len(pictures)

    def entries(self, path: Path) -> list[Entry]:
        """List the pictures as `Folder` does; those of other names are said."""
        entries = super().entries(path)
        others = [entry for entry in entries if not _fits(entry.file.path)]
        if others:
            which = f"{len(others):,} files not named like CK+'s, such as {others[0].id!r}"
            nobody = sum(not entry.subject for entry in others)
            self.notes = (*self.notes, f"{which}; of {nobody:,} the subject is not known")
        return entries

    def subject(self, path: PurePosixPath) -> str:
        """Return the subject, such as "S010"; "" for a name that does not begin as CK+'s do."""
        match = NAME.match(path.name)
        return match.group(1).upper() if match else ""


def _fits(path: PurePosixPath) -> bool:
    return NAME.fullmatch(path.stem) is not None
