"""All steps on one picture: frame, face, eyes, cut, light."""

from __future__ import annotations

from pathlib import Path

from mien.data.pictures import Entry
from mien.data.prepare.eyes import EyeFinder, tilt
from mien.data.prepare.frame import NO_FRAME, Frame, find_frame
from mien.data.prepare.illumination import ILLUMINATIONS
from mien.data.prepare.level import levelled
from mien.data.prepare.outcome import Outcome
from mien.data.prepare.settings import NO_DETECTOR, Preparation
from mien.data.tree import read_colour
from mien.errors import DataError
from mien.inference.detectors import DETECTORS, Detector
from mien.inference.face import Eyes, Face, by_size
from mien.preprocess import Image, Preprocess, Square, grey


class Preparer:
    """Prepares pictures one by one; not for two threads at once.

    Args:
        settings: What is done.

    Raises:
        DataError: If that cannot be done.
        ModelError: If the detector's weights are missing or are not its own.
    """

    def __init__(self, settings: Preparation) -> None:
        settings.check()
        self._settings = settings
        self._crop = Preprocess(size=settings.size).crop
        self._detector = _detector(settings)
        self._eyes = EyeFinder()

    def prepare(self, entry: Entry) -> Outcome:
        """Return what becomes of one picture; one that cannot be read is said to be so."""
        try:
            picture = read_colour(entry.file)
        except DataError as error:
            return Outcome(entry.id, "unreadable", note=str(error))
        if self._detector is None:
            return Outcome(entry.id, "ok", self._lit(self._crop(picture, _middle(picture))), 1)
        frame = find_frame(picture) if self._settings.cut_frame else NO_FRAME
        inside = frame.cut(picture)
        faces = by_size(self._detector.detect(inside))
        if not faces:
            return Outcome(entry.id, "no face", frame=frame, note="No face was found.")
        return self._outcome(entry.id, inside, frame, faces)

    def _outcome(self, name: str, picture: Image, frame: Frame, faces: list[Face]) -> Outcome:
        face, box = faces[0], faces[0].box
        wanted = self._settings.level_eyes
        eyes = self._eyes.find(grey(picture), face) if wanted else None
        return Outcome(
            id=name,
            status="ok",
            face=self._lit(self._cut(picture, face.square, eyes)),
            faces=len(faces),
            box=(box.x + frame.left, box.y + frame.top, box.width, box.height),
            frame=frame,
            rotation=tilt(eyes) if eyes else 0.0,
            eyes=eyes is not None if wanted else None,
            note=f"{len(faces)} faces: the largest was taken." if len(faces) > 1 else "",
        )

    def _cut(self, picture: Image, square: Square, eyes: Eyes | None) -> Image:
        if eyes is None:
            return self._crop(picture, square)
        upright = levelled(picture, square, tilt(eyes))
        return self._crop(upright, Square(x=0, y=0, side=upright.shape[0]))

    def _lit(self, face: Image) -> Image:
        return ILLUMINATIONS[self._settings.illumination](face, self._settings.gamma)


def _detector(settings: Preparation) -> Detector | None:
    if settings.detector == NO_DETECTOR:
        return None
    weights = Path(settings.detector_weights) if settings.detector_weights else None
    return DETECTORS[settings.detector](weights)


def _middle(picture: Image) -> Square:
    """Return the largest square in the middle: a face keeps its proportions."""
    height, width = picture.shape[:2]
    side = min(height, width)
    return Square(x=(width - side) // 2, y=(height - side) // 2, side=side)
