"""Several networks as one, whose logits are those of the average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mien.card import Averaging
from mien.evaluation.average.averaging import (
    AveragedNetwork,
    Predictor,
    features_and_logits,
    mean_logits,
)
from mien.preprocess import Preprocess
from mien.signals import SIGNALS


@dataclass(frozen=True)
class Part:
    """A network and how it counts in an ensemble.

    Args:
        network: In evaluation mode.
        preprocess: How it sees faces.
        temperatures: What its logits are divided by, by head.
        shares: How much it counts, by head.
    """

    network: Predictor
    preprocess: Preprocess
    temperatures: Mapping[str, float]
    shares: Mapping[str, float]


class EnsembleNetwork(AveragedNetwork):
    """The average of several networks.

    It is given what the first of them sees; each other gets the same pixels, normalised its way.

    Args:
        parts: The networks; faces have one size for all.
        averaging: What is averaged.
    """

    def __init__(self, parts: Sequence[Part], averaging: Averaging) -> None:
        super().__init__()
        self.members = nn.ModuleList(part.network for part in parts)
        self._scales = [_scale(parts[0].preprocess, part.preprocess) for part in parts]
        self._parts = parts
        self._averaging = averaging

    def both(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the members' features in a row (N, sum of F), and logits of the average."""
        features, logits = [], []
        for part, (factor, offset) in zip(self._parts, self._scales):
            seen = images if (factor, offset) == (1, 0) else images * factor + offset
            own_features, own_logits = features_and_logits(part.network, seen)
            features.append(own_features)
            logits.append(own_logits)
        averages = {head: self._average(head, logits) for head in self._parts[0].shares}
        return torch.cat(features, 1), averages | self._signals(logits)

    def _signals(self, logits: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """Return the equal average of each signal over the members that have it."""
        found: dict[str, Tensor] = {}
        for name in SIGNALS:
            said = [own[name] for own in logits if name in own]
            if said:
                shares = [1 / len(said)] * len(said)
                found[name] = mean_logits(torch.stack(said), shares, self._averaging)
        return found

    def _average(self, head: str, logits: Sequence[Mapping[str, Tensor]]) -> Tensor:
        scaled = [own[head] / part.temperatures[head] for part, own in zip(self._parts, logits)]
        shares = [part.shares[head] for part in self._parts]
        return mean_logits(torch.stack(scaled), shares, self._averaging)


def _scale(given: Preprocess, wanted: Preprocess) -> tuple[float, float]:
    """Return factor and offset from one normalisation of pixels to another."""
    return given.std / wanted.std, (given.mean - wanted.mean) / wanted.std
