"""From a picture to the expression on each of its faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.inference.classifier import Classifier
from mien.inference.detectors import DETECTORS
from mien.inference.face import Face, Reading, by_size
from mien.inference.journal import Settings
from mien.inference.pictures import as_picture, read_picture
from mien.labels import LabelSet, label_set
from mien.preprocess import Image


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
        settings: What the readings depend on.

    Raises:
        MienError: If there is no such label set or detector, or the model lacks an expression.
        ModelError: If the model or the detector's weights cannot be used.
    """

    def __init__(
        self,
        model: str | Path = "mien-base",
        detector: str = "haar",
        labels: str | None = None,
        detector_weights: Path | None = None,
        threads: int | None = None,
    ) -> None:
        wanted = None if labels is None else label_set(labels)
        make_detector = DETECTORS[detector]
        self.classifier = Classifier(model, threads)
        self._own_labels = self.classifier.card.heads[0].labels
        self.labels: LabelSet = wanted or self._own_labels
        self.labels.positions_in(self._own_labels)
        self._detector = make_detector(detector_weights)
        self.settings = Settings(
            model=self.classifier.card.name,
            model_sha256=self.classifier.sha256,
            detector=detector,
            detector_weights=str(detector_weights or ""),
            labels=self.labels.name,
            expressions=self.labels.expressions,
        )

    def analyze(
        self, picture: str | Path | NDArray[Any], *, source: str | None = None
    ) -> list[Reading]:
        """Return a reading for each face of a picture, the largest face first.

        Args:
            picture: A file, or uint8 (H, W, 3) in RGB order, (H, W, 4) or (H, W).
            source: What the readings say they come from; None for the path of a file.

        Returns:
            Readings; empty where no face is found.

        Raises:
            ImageError: If the file or the array is not a picture.
        """
        if isinstance(picture, (str, Path)):
            return self.read(read_picture(picture), source or str(picture))
        return self.read(as_picture(picture), source)

    def read(self, picture: Image, source: str | None = None) -> list[Reading]:
        """Return a reading for each face of a picture that is uint8 (H, W, 3) RGB already."""
        return self.classify(picture, by_size(self._detector.detect(picture)), source)

    def classify(
        self, picture: Image, faces: Sequence[Face], source: str | None = None
    ) -> list[Reading]:
        """Return the readings of faces that were found already, in their order, as one batch."""
        if not faces:
            return []
        preprocess = self.classifier.card.preprocess
        crops = np.stack([preprocess.crop(picture, face.square) for face in faces])
        rows = self.classifier.classify(crops)
        readings = [
            Reading(source, index, face, self._own_labels, tuple(row.tolist()))
            for index, (face, row) in enumerate(zip(faces, rows, strict=True))
        ]
        if self.labels == self._own_labels:
            return readings
        return [reading.relabelled(self.labels) for reading in readings]
