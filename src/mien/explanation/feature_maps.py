"""What the filters of a layer answer to; needs the extra [train]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.errors import MienError
from mien.explanation.network import log_probabilities
from mien.explanation.output import Output
from mien.preprocess import Image

Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]

MOST = 64
"""Filters shown where none are chosen: those whose maps differ most from place to place."""


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """The maps of some filters of a layer.

    Args:
        layer: Its name in the network.
        filters: K numbers, from 0.
        maps: float32 (K, H, W).
    """

    layer: str
    filters: tuple[int, ...]
    maps: NDArray[np.float32]


def feature_maps(
    output: Output, crops: Image, layers: Sequence[str], filters: Sequence[int] = ()
) -> list[FeatureMaps]:
    """Return the maps of layers, as means over faces.

    Args:
        output: Of the model.
        crops: uint8 (N, S, S), grey.
        layers: Their names in the network, such as "stages.1".
        filters: Which; none for the `MOST` that differ most from place to place.

    Raises:
        MienError: If there is no such layer or filter; names the nearest layer.
        ModelError: If the model averages several networks or views.
    """
    network = log_probabilities(output)
    found: dict[str, Tensor] = {}
    hooks = [
        network.layer(name).register_forward_hook(_keep(found, name, len(crops))) for name in layers
    ]
    with torch.inference_mode():
        for crop in crops:
            network(network.images(crop[None]))
    for hook in hooks:
        hook.remove()
    return [_chosen(name, found[name].numpy(), filters) for name in layers]


def _keep(found: dict[str, Tensor], name: str, count: int) -> Hook:
    def hook(_: nn.Module, __: tuple[Tensor, ...], result: Tensor) -> None:
        found[name] = found.get(name, torch.zeros(1)) + result[0] / count

    return hook


def _chosen(layer: str, maps: NDArray[np.float32], filters: Sequence[int]) -> FeatureMaps:
    for number in filters:
        if not 0 <= number < len(maps):
            raise MienError(
                f"The filters of layer {layer!r} are 0 to {len(maps) - 1}. Got {number} instead."
            )
    liveliest = np.argsort(-maps.std(axis=(1, 2)), kind="stable")[:MOST]
    picked = tuple(filters) or tuple(np.sort(liveliest).tolist())
    return FeatureMaps(layer, picked, maps[list(picked)])
