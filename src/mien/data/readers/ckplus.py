"""CK+ as its authors give it out: sequences of pictures, and one emotion file for some of them.

Lucey et al., "The Extended Cohn-Kanade Dataset (CK+)", CVPR Workshops 2010. A sequence
`cohn-kanade-images/S005/001/*.png` runs from a neutral face to the peak of an expression, which
`Emotion/S005/001/*_emotion.txt` names by number. 327 of the 593 sequences have one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from mien.data.pictures import Entry, PictureReader
from mien.data.readers import READERS
from mien.data.tree import TreeFile, tree_files
from mien.errors import DataError
from mien.labels import ClassNames, label_set

IMAGES, EMOTIONS = "cohn-kanade-images", "Emotion"

CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""What the numbers 0 to 7 of the emotion files mean."""

Sequences = dict[tuple[str, str], list[TreeFile]]
"""Files in the order of their names, by subject and sequence."""


@READERS.register("ckplus")
class CkPlus(PictureReader):
    """Reader of the peak frame, the last, of each sequence that has an emotion."""

    labels = label_set("ckplus7")
    order = 15
    with_neutral = False

    def __init__(self, names: ClassNames) -> None:
        pass  # the files have numbers, whose meaning is fixed

    def accepts(self, path: Path) -> bool:
        """Accept folders that hold `cohn-kanade-images`."""
        return (path / IMAGES).is_dir()

    def entries(self, path: Path) -> list[Entry]:
        """List the frames; ids are their paths below `path`.

        Raises:
            DataError: If there is no emotion file, or one holds no number from 0 to 7.
        """
        for folder in (IMAGES, EMOTIONS):
            if not (path / folder).is_dir():
                raise DataError(f"{path} holds no folder {folder!r}, as CK+ has it.")
        emotions = {key: _emotion(files[-1]) for key, files in _sequences(path, EMOTIONS).items()}
        if not emotions:
            raise DataError(f"{path / EMOTIONS} holds no emotion file (*_emotion.txt).")
        return [
            Entry(f"{IMAGES}/{frame.path}", frame, expression, subject=frame.path.parts[0])
            for frame, expression in self._frames(_sequences(path, IMAGES), emotions)
        ]

    def _frames(
        self, images: Sequences, emotions: dict[tuple[str, str], str]
    ) -> Iterator[tuple[TreeFile, str]]:
        for key, files in images.items():
            if key in emotions and emotions[key] != "neutral":
                yield files[-1], emotions[key]
                if self.with_neutral and len(files) > 1:
                    yield files[0], "neutral"


@READERS.register("ckplus-neutral")
class CkPlusNeutral(CkPlus):
    """Reader of the peak frames, and of each such sequence's first frame as neutral."""

    labels = label_set("ferplus8")
    order = 16
    with_neutral = True

    def accepts(self, path: Path) -> bool:
        """Accept nothing by itself: it is asked for with --layout ckplus-neutral."""
        return False


def _sequences(path: Path, folder: str) -> Sequences:
    suffix = ".png" if folder == IMAGES else ".txt"
    sequences: Sequences = defaultdict(list)
    for file in tree_files(path / folder):
        if len(file.path.parts) == 3 and file.path.suffix.lower() == suffix:
            sequences[file.path.parts[0], file.path.parts[1]].append(file)
    return sequences


def _emotion(file: TreeFile) -> str:
    with file.open() as content:
        text = content.read(100).decode("ascii", "replace").strip()
    try:
        return CODES[_whole(float(text))]
    except (ValueError, IndexError, OverflowError):
        wanted = f"an emotion from 0 to {len(CODES) - 1}"
        raise DataError(f"{file.where}: wanted {wanted}, found {text!r}.") from None


def _whole(number: float) -> int:
    if number < 0 or number != int(number):
        raise ValueError(number)
    return int(number)
