"""Decoding, finding faces and classifying them, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mien.inference.analyzer import Analyzer
from mien.inference.classifier import Judged
from mien.inference.tracking.tracker import TrackedFace
from mien.inference.video.ahead import Ahead
from mien.inference.video.finder import FaceFinder
from mien.inference.video.frame import Frame, Place
from mien.inference.video.reading import FaceReading, FrameReadings
from mien.preprocess import Image

DECODED = 4
"""Frames that are decoded ahead; they are the largest thing in memory."""

FOUND = 32
"""Frames whose faces are found ahead; only the faces' crops are kept of them."""

TOGETHER = 16
"""Frames whose faces are classified as one batch, if so many are waiting."""

READ = 64
"""Frames that are read ahead of whoever takes them."""


@dataclass(frozen=True)
class FoundFaces:
    """The faces of a frame, cut out and not classified yet.

    Args:
        place: Where the frame stands.
        size: Its width and height in pixels.
        faces: The faces.
        crops: uint8 (N, size, size), grey, as the classifier sees them.
    """

    place: Place
    size: tuple[int, int]
    faces: Sequence[TrackedFace]
    crops: Image


def read_frames(
    analyzer: Analyzer, frames: Iterable[Frame], finder: FaceFinder, source: str
) -> Iterator[FrameReadings]:
    """Read frames with back-pressure: at most some hundred of them are under way at once.

    Decoding, finding, classifying and taking the results run at the same time. What is read does
    not depend on their speed.

    Args:
        analyzer: Classifies the faces; several threads may use it.
        frames: The frames, which are taken from another thread.
        finder: Finds their faces; it has seen the frames before these and no others.
        source: What the readings say they come from.

    Yields:
        One result per frame, in order.

    Raises:
        MienError: What decoding or reading raises.
    """
    with (
        Ahead(frames, size=DECODED) as decoded,
        Ahead(_find(analyzer, decoded, finder), size=FOUND) as found,
        Ahead(_classify(analyzer, found, source), size=READ) as read,
    ):
        yield from read


def _find(analyzer: Analyzer, frames: Iterable[Frame], finder: FaceFinder) -> Iterator[FoundFaces]:
    for frame in frames:
        yield cut(analyzer, frame, finder.find(frame))


def cut(analyzer: Analyzer, frame: Frame, faces: Sequence[TrackedFace]) -> FoundFaces:
    """Cut the faces out of a frame, so that the frame itself can go."""
    preprocess = analyzer.classifier.card.preprocess
    crops = [preprocess.crop(frame.picture, found.face.square) for found in faces]
    empty = np.empty((0, preprocess.size, preprocess.size), dtype=np.uint8)
    return FoundFaces(frame.place, frame.size, faces, np.stack(crops) if crops else empty)


def _classify(analyzer: Analyzer, found: Ahead[FoundFaces], source: str) -> Iterator[FrameReadings]:
    while together := found.take(TOGETHER):
        yield from classify(analyzer, together, source)


def classify(
    analyzer: Analyzer, together: Sequence[FoundFaces], source: str
) -> Iterator[FrameReadings]:
    """Classify the faces of several frames as one batch."""
    said = analyzer.classifier.judge(np.concatenate([found.crops for found in together]))
    first = 0
    for found in together:
        yield _readings(analyzer, found, said, first, source)
        first += len(found.faces)


def _readings(
    analyzer: Analyzer, found: FoundFaces, said: Judged, first: int, source: str
) -> FrameReadings:
    readings = (
        FaceReading(
            source,
            index,
            tracked.face,
            analyzer.own_labels,
            tuple(said.probabilities[first + index].tolist()),
            found.place,
            tracked.track,
            tracked.detected,
            verdict=said.verdict(first + index),
        )
        for index, tracked in enumerate(found.faces)
    )
    return FrameReadings(source, found.place, found.size, tuple(map(analyzer.wanted, readings)))
