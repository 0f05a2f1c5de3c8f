"""Models whose answers are known by hand, in mien's file format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from inference.tiny_models import card, with_card
from mien.card import Head
from mien.labels import label_set
from mien.preprocess import Preprocess

SIDE = 48
FOUR = label_set("four")
HEAD = Head(name="four", expressions=FOUR.expressions, temperature=1.0)


def write_linear(path: Path, weights: np.ndarray, bias: float = 0.0) -> Path:
    """A model file whose logit of anger is the sum of weighted pixels, and all others are 0."""
    matrix = np.zeros((SIDE * SIDE, len(FOUR)), np.float32)
    matrix[:, 0] = weights.ravel()
    offsets = np.float32([bias, 0, 0, 0])
    nodes = [
        helper.make_node("Flatten", ["input"], ["features"]),
        helper.make_node("Gemm", ["features", "w", "b"], ["four"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("four", TensorProto.FLOAT, ["N", 4]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", SIDE * SIDE]),
        ],
        [numpy_helper.from_array(matrix, "w"), numpy_helper.from_array(offsets, "b")],
    )
    opset = [helper.make_opsetid("", 17)]
    payload = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    text = card(payload, heads=(HEAD,), preprocess=Preprocess(mean=0, std=255)).model_dump_json()
    path.write_bytes(with_card(payload, text))
    return path


def anger(weights: np.ndarray, crops: np.ndarray, bias: float = 0.0) -> np.ndarray:
    """What such an output says, by hand."""
    logits = (crops / 255.0 * weights).sum((-2, -1)) + bias
    return np.exp(logits) / (np.exp(logits) + 3)
