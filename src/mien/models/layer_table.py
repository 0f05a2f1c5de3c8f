"""A network's layers as a table: name, kind, shape of the output, parameters."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mien.models.keras_layers import keras_parameters
from mien.models.network import FaceNetwork


class LayerRow(NamedTuple):
    """One layer of a network.

    Args:
        name: Dotted name of the layer in the network, such as "layers.conv1".
        kind: Name of its class, such as "Conv2d".
        shape: Shape of its output for one face: (H, W, C) of a map, as papers print it, or (F,).
        parameters: Its weights and moving statistics, counted as Keras does.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def layer_table(network: FaceNetwork, size: int = 48) -> list[LayerRow]:
    """Return the layers of a network in the order in which a face goes through them.

    Args:
        network: Any network; it is left in the mode it was in.
        size: Height and width of the face in pixels.

    Raises:
        RecipeError: If the network was made for faces of another size.
    """
    rows: list[LayerRow] = []
    training = network.training
    hooks = [
        layer.register_forward_hook(_recorder(rows, name))
        for name, layer in network.named_modules()
        if not any(layer.children())
    ]
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 1, size, size))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return rows


def _recorder(rows: list[LayerRow], name: str) -> Any:
    def record(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        channels, *sides = output.shape[1:]
        kind = type(layer).__name__
        rows.append(LayerRow(name, kind, (*sides, channels), keras_parameters(layer)))

    return record
