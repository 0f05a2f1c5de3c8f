"""Export a run's network as one ONNX file that describes itself."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.card import FEATURES, INPUT, ModelCard
from mien.errors import ModelError
from mien.evaluation.average.averaging import Predictor, features_and_logits
from mien.export.model_file import with_payload, write_file
from mien.files import whole_file
from mien.preprocess import Preprocess
from mien.training.graph_weights import SAME_KEY, same_weights

OPSET = 18
TOLERANCE = 1e-4


class _InOrder(nn.Module):
    """A network whose outputs come as a tuple: the card's in its order, then the features."""

    def __init__(self, network: Predictor, outputs: list[str]) -> None:
        super().__init__()
        self.network = network
        self.outputs = outputs

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        features, logits = features_and_logits(self.network, faces)
        return (*(logits[name] for name in self.outputs), features)


def write_onnx(network: Predictor, card: ModelCard, path: Path) -> ModelCard:
    """Write a network and its card; check that ONNX Runtime computes what torch does.

    Args:
        network: In evaluation mode on the CPU; maps (N, 1, H, W) to logits by head. Its features
            become the output "features".
        card: Everything but the payload's length and hash.
        path: The file to write, whole.

    Returns:
        The card as written.

    Raises:
        ModelError: If an output differs by more than 1e-4, or 1e-4 of its largest value.
    """
    outputs = [*(head.name for head in card.heads), *card.signals]
    ordered = _InOrder(network, outputs).eval()
    payload = _payload(ordered, card)
    full = with_payload(card, payload)
    with whole_file(path) as temporary:
        write_file(full, payload, temporary)
        _check_parity(ordered, temporary, card.preprocess)
    return full


def _payload(network: _InOrder, card: ModelCard) -> bytes:
    side = card.preprocess.size
    # It warns of torchvision, which nothing here needs.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (torch.zeros(2, 1, side, side),),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[*network.outputs, FEATURES],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip(model)
    _note_same(model, network)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _strip(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes: stack traces with paths of the machine that exported."""
    graph = model.graph
    for item in (model, graph, *graph.node, *graph.value_info, *graph.initializer):
        del item.metadata_props[:]
        item.ClearField("doc_string")
    for value in (*graph.input, *graph.output):
        del value.metadata_props[:]
        value.ClearField("doc_string")


def _note_same(model: onnx.ModelProto, network: nn.Module) -> None:
    """Note which weights the exporter left out because another has the same values."""
    same = same_weights(model, network.state_dict())
    if same:
        model.metadata_props.add(key=SAME_KEY, value=json.dumps(same))


def _check_parity(network: _InOrder, path: Path, preprocess: Preprocess) -> None:
    generator = np.random.default_rng(0)
    crops = generator.integers(0, 256, (8, preprocess.size, preprocess.size), dtype=np.uint8)
    faces = preprocess.to_input(crops)
    with torch.inference_mode():
        wanted = [output.numpy() for output in network(torch.from_numpy(faces))]
    found = _run(path, faces)
    # Of large values the last digits of single precision differ.
    scales = [max(1.0, float(np.abs(values).max())) for values in wanted]
    differences = (float(np.abs(w - f).max()) / scale for w, f, scale in zip(wanted, found, scales))
    difference = max(differences)
    if not difference <= TOLERANCE:
        raise ModelError(f"{path.name}: the ONNX outputs differ from torch's by {difference:.2g}.")


def _run(path: Path, faces: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs: list[NDArray[np.float32]] = session.run(None, {INPUT: faces})
    return outputs
