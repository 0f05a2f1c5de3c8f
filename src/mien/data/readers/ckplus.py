"""CK+ as its authors give it out: sequences of pictures, and one emotion file for some of them.

Lucey et al., "The Extended Cohn-Kanade Dataset (CK+)", CVPR Workshops 2010. A sequence
`cohn-kanade-images/S005/001/*.png` runs from a neutral face to the peak of an expression, which
`Emotion/S005/001/*_emotion.txt` names by number. 327 of the 593 sequences have one. Both folders
may lie deeper, as the authors' archives unpack.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.readers.classes import Classes
from mien.data.tree import TreeFile, has_folder, tree_files
from mien.errors import DataError
from mien.labels import ClassNames, label_set

IMAGES, EMOTIONS = "cohn-kanade-images", "Emotion"

SUFFIXES = {IMAGES: ".png", EMOTIONS: ".txt"}
"""What counts in each of the two folders."""

CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""What the numbers 0 to 7 of the emotion files mean."""

Key = tuple[str, str]
"""A sequence's subject and number, the names of its folders."""

Files = dict[Key, list[TreeFile]]
"""Files in the order of their names, by sequence."""


@READERS.register("ckplus")
class CkPlus(PictureReader):
    """Reader of the peak frame, the last, of each sequence that has an emotion."""

    labels = label_set("ckplus7")
    order = 15
    with_neutral = False

    def __init__(self, names: ClassNames) -> None:
        self._names = names.with_codes(CODES)

    def accepts(self, path: Path) -> bool:
        """Accept folders that hold `cohn-kanade-images`, at any depth."""
        try:
            return path.is_dir() and has_folder(path, IMAGES)
        except DataError:  # who reads it will say so
            return False

    def entries(self, path: Path) -> list[Entry]:
        """List the frames; ids are their paths from `cohn-kanade-images` on.

        Raises:
            DataError: If there are no frames or no emotion files, or those of several folders, or
                an emotion is no number from 0 to 7.
        """
        files = tree_files(path)
        images, emotions = (_sequences(path, files, folder) for folder in (IMAGES, EMOTIONS))
        classes = Classes(self._names)
        meant = {key: classes.expression(self._class(of[-1])) for key, of in emotions.items()}
        shown = {key: e for key, e in meant.items() if e is not None and key in images}
        self.notes = (*classes.notes, *_left_out(meant, images))
        return [
            Entry(_id(frame.path), frame, expression, subject=subject)
            for (subject, _), frame, expression in self._frames(images, shown)
        ]

    def _frames(self, images: Files, shown: dict[Key, str]) -> Iterator[tuple[Key, TreeFile, str]]:
        for key, files in images.items():
            if shown.get(key, "neutral") != "neutral":
                yield key, files[-1], shown[key]
                if self.with_neutral and len(files) > 1:
                    yield key, files[0], "neutral"

    def _class(self, file: TreeFile) -> str:
        """Return the class name that an emotion file's number is, such as "3" of 3.0000000e+00."""
        with file.open() as content:
            text = content.read(100).decode("ascii", "replace").strip()
        name = _whole(text)
        if not self._names.knows(name):
            wanted = f"an emotion from 0 to {len(CODES) - 1}"
            raise DataError(f"{file.where}: wanted {wanted}, found {text!r}.")
        return name


@READERS.register("ckplus-neutral")
class CkPlusNeutral(CkPlus):
    """Reader of the peak frames, and of each such sequence's first frame as neutral."""

    labels = label_set("ferplus8")
    order = 16
    with_neutral = True

    def accepts(self, path: Path) -> bool:
        """Accept nothing by itself: it is asked for with --layout ckplus-neutral."""
        return False


def _sequences(path: Path, files: Iterable[TreeFile], folder: str) -> Files:
    """Return the files of all sequences in one of the two folders, wherever that lies."""
    found: dict[PurePosixPath, Files] = {}
    for file in files:
        if file.path.suffix.lower() == SUFFIXES[folder] and folder in file.path.parts[-4:-3]:
            of = found.setdefault(file.path.parents[2], defaultdict(list))
            of[file.path.parts[-3], file.path.parts[-2]].append(file)
    if len(found) != 1:
        wanted = f"one folder {folder!r} as CK+ has it, {folder}/S005/001/*{SUFFIXES[folder]}"
        raise DataError(f"{path}: wanted {wanted}, found {', '.join(map(str, found)) or 'none'}.")
    return found.popitem()[1]


def _id(frame: PurePosixPath) -> str:
    """Return the part of a frame's path that is the same wherever the folder lies."""
    return str(PurePosixPath(*frame.parts[-4:]))


def _left_out(meant: dict[Key, str | None], images: Files) -> Iterator[str]:
    """Say how many sequences with an emotion file give no face."""
    without = sum(key not in images for key in meant)
    neutral = sum(expression == "neutral" and key in images for key, expression in meant.items())
    if without:
        yield f"{without:,} sequences with an emotion but no pictures left out"
    if neutral:
        yield f"{neutral:,} sequences whose emotion is neutral left out"


def _whole(text: str) -> str:
    """Return a number without its decimals; the text itself if it is no whole number."""
    try:
        number = float(text)
        return str(int(number)) if number == int(number) else text
    except (ValueError, OverflowError):
        return text
