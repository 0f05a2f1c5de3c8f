"""YuNet (Wu, Peng, Yu, 2023): a small network that also finds tilted, covered and side faces."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.inference.detectors import DETECTORS, Framing, shrunk
from mien.inference.downloads import Download
from mien.inference.face import Box, Face
from mien.preprocess import Image

WEIGHTS = Download(
    name="face_detection_yunet_2026may.onnx",
    url="https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
    "face_detection_yunet/face_detection_yunet_2026may.onnx",
    sha256="ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
    purpose="the detector 'yunet'",
)
"""YuNet's weights in the OpenCV Zoo (MIT licence), 230 kB."""

FRAMING = Framing(scale=1.299, shift=0.029)
"""Medians over 568 of 600 FER2013 PrivateTest faces; quartiles 1.179 to 1.455, -.025 to .085."""

WORKING_SIDE = 640
"""Longer side in pixels to which larger pictures are shrunk; 15 ms a picture on one core. The
faces of the test photos score the same from 480 to 960 pixels, where 960 takes twice the time."""

SMALLEST_INPUT = 64
"""Shortest side in pixels that the network is given; smaller pictures get a black rim. With a side
of 32 its last maps are one row high, and OpenCV 4.14 then reads memory that is not the picture's:
plain grey pictures showed faces that another picture had left there."""

SCORE = 0.6
"""Lowest score of a face. On 600 FER2013 faces .6 finds 568 and .7 finds 558; in `no_face.mp4`
nothing reaches .3."""

OVERLAP = 0.3
"""Intersection over union above which two detections are one face."""

MOST = 500
"""How many candidates are compared with each other."""


@DETECTORS.register("yunet")
class YuNetDetector:
    """Finds faces of any pose with OpenCV's `FaceDetectorYN`; scores are from .6 to 1.

    Args:
        weights: YuNet as ONNX; None for `WEIGHTS`, downloaded on first use.

    Raises:
        ModelError: If the weights are missing, cannot be downloaded or are not YuNet's.
    """

    def __init__(self, weights: Path | None = None) -> None:
        path = weights or WEIGHTS.path()
        self._net = _load(path)
        # The network keeps its input size and buffers from one call to the next.
        self._lock = threading.Lock()

    def detect(self, picture: Image) -> list[Face]:
        """Return the faces of a picture, uint8 (H, W, 3) RGB or (H, W) grey."""
        image, factor = shrunk(picture, WORKING_SIDE)
        code = cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR
        with self._lock:
            rows = _search(self._net, np.asarray(cv2.cvtColor(image, code), dtype=np.uint8))
        faces = (_face(row, factor, picture) for row in rows)
        return [face for face in faces if face]


def _face(row: NDArray[Any], factor: float, picture: Image) -> Face | None:
    x, y, width, height = (float(edge) * factor for edge in row[:4])
    if width <= 0 or height <= 0:
        return None
    # A row is the box, five landmarks (in the order of `Landmarks`) and the score.
    face = FRAMING.face(Box(x, y, width, height), float(row[14]), picture)
    values = [float(value) * factor for value in row[4:14]]
    right_eye, left_eye, nose, right_corner, left_corner = zip(values[::2], values[1::2])
    others = (nose, right_corner, left_corner)
    return face and replace(face, eyes=(right_eye, left_eye), nose_and_mouth=others)


def _search(net: cv2.FaceDetectorYN, image: Image) -> NDArray[Any]:
    height, width = image.shape[:2]
    rims = (0, max(0, SMALLEST_INPUT - height), 0, max(0, SMALLEST_INPUT - width))
    image = np.asarray(cv2.copyMakeBorder(image, *rims, cv2.BORDER_CONSTANT), dtype=np.uint8)
    net.setInputSize((image.shape[1], image.shape[0]))
    _, rows = net.detect(image)
    return np.empty((0, 15)) if rows is None else rows


def _load(path: Path) -> cv2.FaceDetectorYN:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error.strerror}.") from error
    # What is wrong is raised below; OpenCV would print its own stack beside it.
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        none = np.empty(0, np.uint8)
        net = cv2.FaceDetectorYN.create("onnx", data, none, (64, 64), SCORE, OVERLAP, MOST)
        # Another network loads without complaint and fails only when it is asked for faces.
        _search(net, np.zeros((64, 64, 3), np.uint8))
    except cv2.error as error:
        raise ModelError(f"{path} does not hold the weights of YuNet as ONNX.") from error
    finally:
        cv2.utils.logging.setLogLevel(level)
    return net
