"""Small models in mien's file format, made without a training framework."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mien.card import METADATA_KEY, Head, ModelCard
from mien.labels import label_set
from mien.preprocess import Preprocess

HEADS = ("ferplus8", "basic7")


def graph(seed: int = 0, outputs: tuple[str, ...] = HEADS) -> bytes:
    """Convolution, ReLU, global mean and one matrix per output, with random weights."""
    random = np.random.default_rng(seed)
    weights = {
        "kernel": random.normal(size=(8, 1, 5, 5)) * 0.3,
        "bias": np.full(8, 0.1),
    }
    nodes = [
        helper.make_node("Conv", ["input", "kernel", "bias"], ["maps"], strides=[2, 2]),
        helper.make_node("Relu", ["maps"], ["active"]),
        helper.make_node("GlobalAveragePool", ["active"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
    ]
    for name in outputs:
        classes = len(label_set(name))
        weights[f"{name}.w"] = random.normal(size=(8, classes)) * 3
        weights[f"{name}.b"] = random.normal(size=classes)
        nodes.append(helper.make_node("Gemm", ["features", f"{name}.w", f"{name}.b"], [name]))
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, 48, 48])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", len(label_set(name))])
            for name in outputs
        ],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def card(payload: bytes, **changes: object) -> ModelCard:
    """A card for a graph, with `changes` to its fields."""
    heads = (
        Head(name="ferplus8", expressions=label_set("ferplus8").expressions, temperature=1.5),
        Head(name="basic7", expressions=label_set("basic7").expressions),
    )
    fields = {
        "name": "tiny",
        "mien_version": "0.1.0",
        "description": "Random weights.",
        "heads": heads,
        "preprocess": Preprocess(),
        "parameters": 320,
        "macs": 100_000,
        "recipe": "",
        "data_fingerprint": "",
        "payload_bytes": len(payload),
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
    }
    return ModelCard.model_validate({**fields, **changes})


def with_card(payload: bytes, text: str) -> bytes:
    """Put a card behind a graph, as the export does."""
    trailer = onnx.ModelProto()
    entry = trailer.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, text
    return payload + trailer.SerializeToString()


def write_model(path: Path, seed: int = 0, **changes: object) -> Path:
    """Write a small model that works."""
    payload = graph(seed)
    path.write_bytes(with_card(payload, card(payload, **changes).model_dump_json()))
    return path
