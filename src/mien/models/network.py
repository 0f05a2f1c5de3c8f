"""What every network is: features of a face, and one linear layer per output on them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from mien.models.blocks import Heads


class FaceNetwork(nn.Module, ABC):
    """A network that turns faces into features and features into logits.

    The two steps are public, so that an export can offer the features, fine-tuning can put other
    `heads` on them, and distillation can compare both. A subclass sets `heads` last, after the
    layers that make the features: the order of the weights is part of a checkpoint.
    """

    heads: Heads

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """Return features (N, heads.width) for normalised float images (N, 1, H, W)."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return logits (N, classes) by output for normalised float images (N, 1, H, W)."""
        logits: dict[str, Tensor] = self.heads(self.features(images))
        return logits
