"""YuNet (Wu, Peng, Yu, 2023): a small network that also finds tilted, covered and side faces."""

from __future__ import annotations

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

FRAMING = Framing(scale=1.302, shift=0.036)
"""Medians over 573 of 600 FER2013 PublicTest faces; quartiles 1.176 to 1.411, -.024 to .084."""

WORKING_SIDE = 640
"""Longer side in pixels to which larger pictures are shrunk; 8 ms a picture on one core. The
faces of the test photos score the same from 480 to 960 pixels, where 960 takes twice the time."""

SMALLEST_INPUT = 64
"""Shortest side in pixels that the network is given; smaller pictures get a black rim. Below it the
last maps are a single cell high."""

SCORE = 0.6
"""Lowest score of a face. On 600 FER2013 faces .6 finds 568 and .7 finds 558; in `no_face.mp4`
nothing reaches .3."""

OVERLAP = 0.3
"""Intersection over union above which two detections are one face."""

MOST = 500
"""How many candidates are compared with each other."""

STRIDES = (8, 16, 32)
"""Pixels between the cells of its maps."""

OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]


@DETECTORS.register("yunet")
class YuNetDetector:
    """Finds faces of any pose; scores are from .6 to 1.

    The network is run by ONNX Runtime, in half the time of OpenCV's `FaceDetectorYN`, whose rows
    it gives: over 350 faces in 150 pictures no score or edge differs by more than 6e-5.

    Args:
        weights: YuNet as ONNX; None for `WEIGHTS`, downloaded on first use.

    Raises:
        ModelError: If the weights are missing, cannot be downloaded or are not YuNet's.
    """

    def __init__(self, weights: Path | None = None) -> None:
        path = weights or WEIGHTS.path()
        self._session = _load(path)

    def detect(self, picture: Image) -> list[Face]:
        """Return the faces of a picture, uint8 (H, W, 3) RGB or (H, W) grey."""
        image, factor = shrunk(picture, WORKING_SIDE)
        if image.ndim == 2:
            image = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
        rows = _search(self._session, image)
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


def _search(session: Any, image: Image) -> NDArray[np.float32]:
    """Return a row for each face, as `FaceDetectorYN` does: box, landmarks, score.

    Args:
        session: YuNet.
        image: uint8 (H, W, 3) in RGB order.
    """
    height, width = (
        max(SMALLEST_INPUT, -(-edge // STRIDES[-1]) * STRIDES[-1]) for edge in image.shape[:2]
    )
    rims = (0, height - image.shape[0], 0, width - image.shape[1])
    image = np.asarray(cv2.copyMakeBorder(image, *rims, cv2.BORDER_CONSTANT), dtype=np.uint8)
    blob = cv2.dnn.blobFromImage(image, swapRB=True)
    found = session.run(OUTPUTS, {session.get_inputs()[0].name: blob})
    parts = zip(STRIDES, *(found[i : i + 3] for i in range(0, 12, 3)))
    rows = np.concatenate([_rows(stride, width // stride, *maps) for stride, *maps in parts])
    boxes = rows[:, :4].astype(np.int32).tolist()
    kept = cv2.dnn.NMSBoxes(boxes, rows[:, 14].tolist(), SCORE, OVERLAP, top_k=MOST)
    return rows[np.asarray(kept, dtype=np.intp).reshape(-1)]


def _rows(
    stride: int,
    columns: int,
    classes: NDArray[np.float32],
    objects: NDArray[np.float32],
    boxes: NDArray[np.float32],
    points: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the rows above `SCORE` of one map, whose cells cover `stride` pixels each."""
    scores = np.sqrt(classes[0, :, 0].clip(0, 1) * objects[0, :, 0].clip(0, 1))
    cells = np.flatnonzero(scores >= SCORE)
    corner = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32)
    middle = (corner + boxes[0, cells, :2]) * stride
    size = np.exp(boxes[0, cells, 2:]) * stride
    marks = (points[0, cells].reshape(-1, 5, 2) + corner[:, None]) * stride
    parts = (middle - size / 2, size, marks.reshape(-1, 10), scores[cells, None])
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _load(path: Path) -> Any:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error.strerror}.") from error
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        # Another network loads without complaint and fails only when it is asked for faces.
        _search(session, np.zeros((64, 64, 3), np.uint8))
    except Exception as error:
        raise ModelError(f"{path} does not hold the weights of YuNet as ONNX.") from error
    return session
