"""Models in whole numbers of eight bits: a quarter of the size and, on most processors, faster.

Static quantisation of the convolutions, per output channel, with ranges that training faces show
(Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018). Weights take seven of the eight bits: older processors add pairs of products
in sixteen, where eight would overflow.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from mien.card import Figure, ModelCard
from mien.data.dataset import FaceDataset
from mien.data.sizes import of_side
from mien.errors import MienError
from mien.evaluation.card_figures import split_figures
from mien.evaluation.doubt import doubt_figures
from mien.evaluation.model_predictions import file_predictions
from mien.export.ancestors import card_ancestors
from mien.export.model_file import with_payload, write_file
from mien.export.naming import check_name
from mien.files import whole_file
from mien.inference.classifier import Classifier
from mien.inference.zoo import read_model
from mien.preprocess import Image, Preprocess

RANGES_FROM = 256
"""Training faces from which the ranges are taken, evenly spaced."""


def quantise(source: Path, dataset: FaceDataset, path: Path, *, name: str = "") -> ModelCard:
    """Write a model in eight bits and measure it anew.

    Args:
        source: A model that mien exported.
        dataset: The one it was trained on: the ranges are those of its training faces; the figures
            of its test faces become the card's, at the temperatures of the source.
        path: The file to write.
        name: The model's name; the source's by default.

    Returns:
        The card inside the file.

    Raises:
        ModelError: If the source is damaged or not mien's.
        MienError: If it is in eight bits already, or was trained on other data, or another model
            that ships with mien has the name.
    """
    card, payload, _ = read_model(source)
    check_quantisable(source, card)
    check_name(name or card.name, card.recipes)
    if card.data_fingerprint != dataset.fingerprint:
        raise MienError(f"{source} was trained on other data: the fingerprints differ.")
    small = _in_eight_bits(payload, _ranges_from(dataset, card.preprocess), card.preprocess)
    changes = {
        "precision": "int8",
        "figures": (),
        "name": name or card.name,
        "ancestors": card_ancestors(card),
    }
    bare = with_payload(card.model_copy(update=changes), small)
    with whole_file(path) as temporary:
        write_file(bare, small, temporary)
        figures = tuple(file_figures(Classifier(temporary), dataset))
        full = bare.model_copy(update={"figures": figures})
        write_file(full, small, temporary)
    return full


def check_quantisable(source: Path, card: ModelCard) -> None:
    """Check that a model is in floating point.

    Raises:
        MienError: If it is in eight bits already.
    """
    if card.precision == "int8":
        raise MienError(f"{source} is in eight bits already.")


def file_figures(classifier: Classifier, dataset: FaceDataset) -> Iterator[Figure]:
    """Give the figures of a file on the test faces of the dataset it was trained on."""
    tables = file_predictions(classifier, dataset)
    for table in tables:
        split = table.measured_split
        yield from split_figures(table.labels.name, table.judged(split), dataset.name, split)
    yield from doubt_figures(tables[0], classifier.card.doubt, dataset.name)


def _ranges_from(dataset: FaceDataset, preprocess: Preprocess) -> Image:
    faces = np.flatnonzero(dataset.splits == "train")
    picks = np.linspace(0, len(faces) - 1, min(len(faces), RANGES_FROM)).astype(np.intp)
    return of_side(dataset.images[faces[picks]], preprocess.size)


def _in_eight_bits(payload: bytes, faces: Image, preprocess: Preprocess) -> bytes:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, _unadvised():
        given, ready, small = (
            Path(folder) / f"{name}.onnx" for name in ("given", "ready", "small")
        )
        given.write_bytes(payload)
        quant_pre_process(given, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            small,
            _Faces(onnx.load(given), preprocess.to_input(faces)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
        )
        return _bare(onnx.load(small), onnx.load(given))


@contextmanager
def _unadvised() -> Iterator[None]:
    """Keep the tools from advising what has been done."""
    log = logging.getLogger()
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _bare(model: onnx.ModelProto, source: onnx.ModelProto) -> bytes:
    """Return a graph without what the tools noted in it, but with what the export did.

    Names are a fifth of a small file: only those from which a network can be rebuilt are kept.
    """
    graph = model.graph
    del model.metadata_props[:]
    del graph.value_info[:]
    model.metadata_props.extend(source.metadata_props)
    kept, short = _telling_names(graph), _short_names()
    names = defaultdict(lambda: next(short), {name: name for name in kept} | {"": ""})
    for node in graph.node:
        node.ClearField("name")
        for tensors in (node.input, node.output):
            tensors[:] = [names[name] for name in tensors]
    for constant in graph.initializer:
        constant.name = names[constant.name]
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _telling_names(graph: onnx.GraphProto) -> set[str]:
    """Return the names of inputs, outputs, and weights as the network has them."""
    quantised = {
        name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.input
    }
    weights = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    whole = {
        constant.name
        for constant in graph.initializer
        if constant.data_type == onnx.TensorProto.FLOAT and "." in constant.name
    }
    return {value.name for value in (*graph.input, *graph.output)} | weights | (whole - quantised)


def _short_names() -> Iterator[str]:
    return (f"{number:x}" for number in count())


class _Faces:
    """Faces one by one, as the quantisation asks for them."""

    def __init__(self, model: onnx.ModelProto, inputs: NDArray[np.float32]) -> None:
        name = model.graph.input[0].name
        self._waiting = iter([{name: face[None]} for face in inputs])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._waiting, None)
