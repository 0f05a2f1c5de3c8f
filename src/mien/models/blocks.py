"""Blocks that several networks share."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

REDUCTION = 8
"""By how much channel attention narrows its channels."""


class Heads(nn.Module):
    """One linear layer per output on shared features.

    Args:
        features: Length of the feature vector; kept as `width`.
        classes: Number of classes of each output, by name.
    """

    def __init__(self, features: int, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.width = features
        self.linear = nn.ModuleDict({name: nn.Linear(features, n) for name, n in classes.items()})

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Return logits (N, classes) by output name for features (N, features)."""
        return {name: layer(features) for name, layer in self.linear.items()}


class SqueezeExcitation(nn.Module):
    """Channel attention (Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, section 3)."""

    def __init__(self, channels: int, reduction: int = REDUCTION) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.relu = nn.ReLU(inplace=True)
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels of (N, C, H, W)."""
        pooled = x.mean((2, 3), keepdim=True)
        scale: Tensor = self.excite(self.relu(self.squeeze(pooled))).sigmoid()
        return x * scale
