"""From a picture to the expression on each of its faces."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.errors import MienError, MissingExtraError, ModelError
from mien.inference.classifier import Classifier, Judged
from mien.inference.detectors import DETECTORS
from mien.inference.face import AnyReading, Face, Reading, by_size
from mien.inference.journal import Settings
from mien.inference.pictures import AnyPicture, as_picture, read_picture
from mien.labels import LabelSet, label_set
from mien.preprocess import Image

if TYPE_CHECKING:
    from mien.inference.video.finder import Search
    from mien.inference.video.reading import FaceReading
    from mien.inference.video.sampling import Sampling


class Analyzer:
    """Reads the expression on every face of a picture.

    Build it once and call it for many pictures, from several threads if you like.

    Args:
        model: The name of a shipped model or the path of an ONNX file exported by mien.
        detector: The name of a face detector: "haar" or "yunet".
        labels: The label set to read in, such as "four"; probabilities are renormalised to its
            expressions. None for all expressions of the model.
        detector_weights: The detector's weights; None for its usual ones.
        threads: Processor threads of the classifier; None for one per core.

    Attributes:
        classifier: The model.
        labels: The expressions of the readings.
        own_labels: The expressions of the model, of which `labels` are some or all.
        settings: What the readings depend on.
        new_detector: Makes another detector like the analyzer's own, such as one for each video.

    Raises:
        MienError: If there is no such label set or detector, or the model lacks an expression.
        ModelError: If the model or the detector's weights cannot be used.
    """

    def __init__(
        self,
        model: str | Path = "mien-base",
        detector: str = "haar",
        labels: str | None = None,
        detector_weights: str | Path | None = None,
        threads: int | None = None,
    ) -> None:
        _check_names(model, labels)
        wanted = None if labels is None else label_set(labels)
        make_detector = DETECTORS[detector]
        self.classifier = Classifier(model, threads)
        self.own_labels = self.classifier.card.heads[0].labels
        self.labels: LabelSet = wanted or self.own_labels
        self.labels.positions_in(self.own_labels)
        weights = None if detector_weights is None else Path(detector_weights)
        self.new_detector = partial(make_detector, weights)
        self._detector = self.new_detector()
        self.settings = Settings(
            model=self.classifier.card.name,
            model_sha256=self.classifier.sha256,
            detector=detector,
            detector_weights=str(detector_weights or ""),
            labels=self.labels.name,
            expressions=self.labels.expressions,
        )

    def analyze(self, picture: AnyPicture, *, source: str | None = None) -> list[Reading]:
        """Return a reading for each face of a picture, the largest face first.

        Args:
            picture: A file's path, its bytes, an open binary file, one of Pillow's images, or uint8
                (H, W, 3) in RGB order, (H, W, 4) or (H, W).
            source: What the readings say they come from; None for the path of a file.

        Returns:
            Readings; empty where no face is found.

        Raises:
            ImageError: If it is not a picture.
        """
        return self.read(read_picture(picture), source or _path_of(picture))

    def analyze_many(self, pictures: Iterable[AnyPicture]) -> list[list[Reading]]:
        """Return the readings of several pictures, whose faces are classified as one batch.

        Of each picture only its faces are held until then.

        Args:
            pictures: As of `analyze`.

        Returns:
            Readings of each picture, in order; probabilities may differ from those of `analyze` in
            the sixth digit.

        Raises:
            ImageError: If one is not a picture.
        """
        from mien.inference.together import classify_together, find_faces

        paths, found = [], []
        for picture in pictures:
            paths.append(_path_of(picture))
            found.append(find_faces(self, self._detector, read_picture(picture)))
        read = zip(paths, classify_together(self, found))
        return [[replace(one, source=path) for one in readings] for path, readings in read]

    def read(self, picture: Image, source: str | None = None) -> list[Reading]:
        """Return a reading for each face of a picture that is uint8 (H, W, 3) RGB already."""
        picture = as_picture(picture)
        return self.classify(picture, self.faces(picture), source)

    def faces(self, picture: Image) -> list[Face]:
        """Return the faces of a picture, uint8 (H, W, 3) RGB, the largest first, unread."""
        return by_size(self._detector.detect(as_picture(picture)))

    def classify(
        self, picture: Image, faces: Sequence[Face], source: str | None = None
    ) -> list[Reading]:
        """Return the readings of faces that were found already, in their order, as one batch."""
        if not faces:
            return []
        preprocess = self.classifier.card.preprocess
        crops = np.stack([preprocess.crop(picture, face.square) for face in faces])
        said = self.classifier.judge(crops)
        return [self.reading(said, index, index, face, source) for index, face in enumerate(faces)]

    def reading(
        self, said: Judged, row: int, index: int, face: Face, source: str | None = None
    ) -> Reading:
        """Return the reading of a face.

        Args:
            said: What the classifier says of some crops.
            row: Which of them is the face's.
            index: Number of the face in its picture.
            face: Where it is.
            source: What the reading says it comes from.
        """
        probabilities = tuple(said.probabilities[row].tolist())
        labels, verdict = self.own_labels, said.verdict(row)
        return self.wanted(Reading(source, index, face, labels, probabilities, verdict=verdict))

    def stream(
        self,
        *sources: str | Path | int,
        sampling: Sampling | None = None,
        search: Search | None = None,
    ) -> Iterator[FaceReading]:
        """Give a reading for each face of each frame of videos, cameras or streams.

        Nothing is computed far ahead of the loop that takes the readings: a slow loop slows a
        video down, and makes a camera or a stream drop frames. The readings of several sources
        come as they are ready; their `source` says whose they are.

        Args:
            sources: Paths of video files, addresses of streams, or numbers of cameras.
            sampling: Which frames of a file are read; None for all.
            search: How often and how closely the detector looks; None for the usual way.

        Yields:
            Readings; a frame without a face has none.

        Raises:
            VideoError: If a source cannot be opened, or not one of its frames decoded.
            MissingExtraError: If PyAV or SciPy is not installed.
        """
        try:
            from mien.inference.live.stream import stream
            from mien.inference.video.finder import Search
            from mien.inference.video.sampling import Sampling
        except ModuleNotFoundError as error:
            raise MissingExtraError("Reading videos", "video") from error
        return stream(self, sources, sampling or Sampling(), search or Search())

    def wanted(self, reading: AnyReading) -> AnyReading:
        """Return a reading in all the model's expressions in those of the analyzer instead."""
        return reading if self.labels == self.own_labels else reading.relabelled(self.labels)


def _check_names(model: object, labels: object) -> None:
    if not isinstance(model, (str, os.PathLike)):
        raise ModelError(
            "A model must be the name of a shipped one or the path of an ONNX file."
            f" Got {type(model).__name__} instead."
        )
    if labels is not None and not isinstance(labels, str):
        raise MienError(
            "Labels must be the name of a label set, or expressions joined as in"
            f" 'happiness+sadness'. Got {type(labels).__name__} instead."
        )


def _path_of(picture: AnyPicture) -> str | None:
    return os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else None
