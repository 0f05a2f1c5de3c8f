"""The weights of a network back out of its exported graph.

The exporter changes a few things. It multiplies a batch normalisation into the convolution before
it; here such a normalisation becomes the identity plus the exported bias, and the network computes
the same. It drops biases that are all 0. And it keeps equal tensors once; the export notes the
others under `SAME_KEY`. In a quantised graph convolutions have whole numbers and their scales; here
they become the numbers that they stand for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from mien.errors import ModelError
from mien.training.weights import Weights

SAME_KEY = "mien.same"
"""The ONNX metadata entry: by weight that was left out, the one that has the same values."""

DEQUANTISED = "_DequantizeLinear_Output"
"""What the quantisation puts behind a weight's name."""

WRAPPED = "network."
"""What the exporter puts before a weight's name, once or more often."""


def same_weights(model: onnx.ModelProto, state: Weights) -> dict[str, str]:
    """Return the names in `state` that a graph lacks, and the kept ones with the same values."""
    kept = {weight.name for weight in model.graph.initializer} & state.keys()
    return {
        name: other
        for name in sorted(state.keys() - kept)
        for other in sorted(kept)
        if torch.equal(state[name], state[other])
    }


def fill_from_graph(network: nn.Module, graph: bytes, path: Path) -> tuple[str, ...]:
    """Put the weights of an exported graph into the network it was exported from.

    Args:
        network: As it was built before training.
        graph: The file's graph.
        path: The file, for error sentences.

    Returns:
        Names of the normalisations that the graph has no longer.

    Raises:
        ModelError: If the graph is another network's; names the first weight that does not fit.
    """
    model = onnx.load_from_string(graph)
    found = _named(model)
    folded = {
        name: convolution
        for name, convolution in _normalised(network).items()
        if not _own_names(network, name) <= found.keys()
    }
    biases = _biases(model)
    found = {f"{layer}.bias": bias for layer, bias in biases.items()} | found
    found |= _identities(network, folded, biases)
    for name, own in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            found[name] = torch.zeros_like(own)
        elif name not in found or found[name].shape != own.shape:
            raise ModelError(
                f"The model {path} is not the network that its recipe describes: the weight {name}"
                " is missing or has another shape."
            )
    network.load_state_dict({name: found[name] for name in network.state_dict()})
    return tuple(folded)


def _named(model: onnx.ModelProto) -> dict[str, Tensor]:
    tensors = _tensors(model)
    for entry in model.metadata_props:
        if entry.key == SAME_KEY:
            same = json.loads(entry.value)
            tensors |= {name: tensors[other] for name, other in same.items()}
    return {_bare(name): tensor for name, tensor in tensors.items()}


def _tensors(model: onnx.ModelProto) -> dict[str, Tensor]:
    """Return a graph's constants by name, quantised ones by the name they had before."""
    stored = {weight.name: _tensor(weight) for weight in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            whole, scale, zero = (stored[name].float() for name in node.input)
            shape = (-1, *(1,) * (whole.ndim - 1)) if scale.ndim else ()
            value = (whole - zero.reshape(shape)) * scale.reshape(shape)
            stored[_unquantised(node.output[0])] = value
    return stored


def _unquantised(name: str) -> str:
    return name.removesuffix(DEQUANTISED)


def _tensor(weight: onnx.TensorProto) -> Tensor:
    return torch.from_numpy(numpy_helper.to_array(weight).copy())


def _bare(name: str) -> str:
    while name.startswith(WRAPPED):
        name = name.removeprefix(WRAPPED)
    return name


def _biases(model: onnx.ModelProto) -> dict[str, Tensor]:
    """Return the bias of each convolution and dense layer of the graph, by the layer's name."""
    tensors = _tensors(model)
    biases = {}
    for node in model.graph.node:
        inputs = [_unquantised(name) for name in node.input]
        if node.op_type in ("Conv", "Gemm") and inputs[1] in tensors:
            weight = tensors[inputs[1]]
            given = inputs[2] if len(inputs) > 2 else ""
            layer = _bare(inputs[1]).removesuffix(".weight")
            biases[layer] = tensors.get(given, torch.zeros(len(weight)))
    return biases


def _normalised(network: nn.Module) -> dict[str, str]:
    """Return, by the name of a batch normalisation, the convolution that was made before it."""
    pairs, convolution = {}, ""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d):
            convolution = name
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            pairs[name] = convolution
    return pairs


def _own_names(network: nn.Module, name: str) -> set[str]:
    state = network.get_submodule(name).state_dict()
    return {f"{name}.{own}" for own in state if own != "num_batches_tracked"}


def _identities(
    network: nn.Module, folded: Mapping[str, str], biases: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return weights that make normalisations add their convolution's bias and nothing else."""
    weights: dict[str, Tensor] = {}
    for name, convolution in folded.items():
        layer = network.get_submodule(name)
        bias = biases.get(convolution)
        if bias is None or not isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            continue
        weights |= {
            f"{name}.weight": torch.ones_like(bias),
            f"{name}.bias": bias,
            f"{name}.running_mean": torch.zeros_like(bias),
            f"{name}.running_var": torch.full_like(bias, 1 - layer.eps),
        }
    return weights
