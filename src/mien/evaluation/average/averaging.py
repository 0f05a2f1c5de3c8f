"""Averages of what several networks, or one network of several views, say of a face."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mien.card import Averaging
from mien.models.network import FaceNetwork


class AveragedNetwork(nn.Module, ABC):
    """A network whose logits are averages; called with (N, 1, H, W), as any network is."""

    @abstractmethod
    def both(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return features (N, F) and logits (N, classes) by output."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return logits (N, classes) by output for normalised float images (N, 1, H, W)."""
        return self.both(images)[1]


Predictor = FaceNetwork | AveragedNetwork
"""What can be evaluated and exported."""


def features_and_logits(network: Predictor, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return features (N, F) and logits (N, classes) by output in one pass."""
    if isinstance(network, AveragedNetwork):
        return network.both(images)
    features = network.features(images)
    logits: dict[str, Tensor] = network.heads(features)
    return features, logits


def mean_logits(logits: Tensor, weights: Sequence[float], averaging: Averaging) -> Tensor:
    """Return logits whose softmax is the average; of a signal, whose sigmoid is.

    Args:
        logits: (M, N, C), of M members; of a signal C is 1.
        weights: M shares that sum to 1; what has the share 0 does not count.
        averaging: "probabilities" for the logarithm of their weighted mean, "logits" for the
            weighted mean of the logits, whose softmax is the geometric mean of the probabilities.

    Returns:
        (N, C).
    """
    if logits.shape[2] == 1:  # a sigmoid is the softmax of its logit and 0
        two = mean_logits(torch.cat([logits, torch.zeros_like(logits)], 2), weights, averaging)
        return two[:, :1] - two[:, 1:]
    counts = [number for number, weight in enumerate(weights) if weight > 0]
    kept = torch.stack([logits[number] for number in counts])
    shares = kept.new_tensor([weights[number] for number in counts])[:, None, None]
    if averaging == "logits":
        return (kept * shares).sum(0)
    return (kept.log_softmax(2) + shares.log()).logsumexp(0)
