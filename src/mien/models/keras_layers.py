"""Layers as Keras makes them, for papers whose networks were built and trained with Keras.

Keras differs from torch in the first weights (Glorot's uniform distribution, biases 0) and in batch
normalisation: epsilon 1e-3, moving averages that keep .99 of their value, and a moving variance of
biased variances. Keras also keeps maps as (H, W, C) and flattens them in that order, torch in the
order (C, H, W): the same features in another order.
"""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional

Padding = Literal["valid", "same"]
"""No padding, or zeros around the map so that it keeps its size."""

PADDINGS: tuple[Padding, ...] = get_args(Padding)

EPSILON = 1e-3
KEPT = 0.99
"""The share of a moving average that stays at each batch: Keras's momentum; torch's is the rest."""


def convolution(channels: int, filters: int, kernel: int, padding: Padding) -> nn.Conv2d:
    """Return a convolution with stride 1 and an odd, square kernel."""
    layer = nn.Conv2d(channels, filters, kernel, padding=kernel // 2 if padding == "same" else 0)
    draw_weights(layer)
    return layer


def dense(features: int, units: int) -> nn.Linear:
    """Return a fully connected layer."""
    layer = nn.Linear(features, units)
    draw_weights(layer)
    return layer


def draw_weights(layer: nn.Conv2d | nn.Linear) -> None:
    """Draw weights from Glorot's uniform distribution and set biases to 0."""
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class KerasBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of features (N, C).

    The moving variance averages the biased variances of the batches, as in Keras 3 and tf.keras;
    torch's averages the unbiased ones, which are 3 % larger in batches of 32.

    Args:
        channels: C.
        kept: Share of the moving averages that stays at each batch.
    """

    def __init__(self, channels: int, kept: float = KEPT) -> None:
        super().__init__(channels, eps=EPSILON, momentum=1 - kept)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C)."""
        return _normalise_batch(self, x) if self.training else super().forward(x)


class KerasBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation of maps (N, C, H, W).

    The moving variance averages the biased variances of the batches, as in Keras 3. The fused
    layer of tf.keras averages the unbiased ones, as torch does; with the hundreds of pixels of a
    batch of maps the two are nearly the same.

    Args:
        channels: C.
        kept: Share of the moving averages that stays at each batch.
    """

    def __init__(self, channels: int, kept: float = KEPT) -> None:
        super().__init__(channels, eps=EPSILON, momentum=1 - kept)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        return _normalise_batch(self, x) if self.training else super().forward(x)


def keras_parameters(network: nn.Module) -> int:
    """Count weights as Keras does, with the moving means and variances, which are not trained."""
    moving = [b for name, b in network.named_buffers() if name.split(".")[-1].startswith("running")]
    return sum(weights.numel() for weights in (*network.parameters(), *moving))


def _normalise_batch(layer: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor) -> Tensor:
    assert layer.running_mean is not None
    assert layer.running_var is not None
    assert layer.momentum is not None
    # The backward step needs what batch_norm was given, so the layer's own are set from copies.
    mean, variance = layer.running_mean.clone(), layer.running_var.clone()
    normalised = functional.batch_norm(
        x, mean, variance, layer.weight, layer.bias, True, layer.momentum, EPSILON
    )
    values = x.numel() // x.shape[1]
    added = variance - (1 - layer.momentum) * layer.running_var
    layer.running_mean.copy_(mean)
    layer.running_var.copy_(variance - added / values)
    return normalised
