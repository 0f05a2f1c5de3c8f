"""Weights to begin a training with."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mien.errors import TrainingError

Weights = Mapping[str, Tensor]
"""Tensors by their names in a network."""

HEADS = "heads."
"""How the names of the outputs' weights begin."""


def load_weights(network: nn.Module, weights: Weights) -> list[str]:
    """Put weights into a network; outputs that they lack or have in another size stay fresh.

    Returns:
        The names of the network's weights that stay fresh.

    Raises:
        TrainingError: If anything but an output differs.
    """
    own = network.state_dict()
    fitting = {
        name: value
        for name, value in weights.items()
        if name in own and own[name].shape == value.shape
    }
    fresh = [name for name in own if name not in fitting]
    wrong = [name for name in fresh if not name.startswith(HEADS)]
    extra = [name for name in weights if name not in own and not name.startswith(HEADS)]
    if extra and not wrong:
        raise TrainingError(
            f"The weights to start with are another network's: they hold {extra[0]}, which the"
            " recipe's network lacks."
        )
    if wrong:
        found = tuple(weights[wrong[0]].shape) if wrong[0] in weights else "nothing"
        raise TrainingError(
            f"The weights to start with are another network's: {wrong[0]} must have the shape"
            f" {tuple(own[wrong[0]].shape)}. Got {found} instead."
        )
    network.load_state_dict(fitting, strict=False)
    return fresh
