"""Dropout that does not hold a processor up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STEPS = 2**16
"""The rate is rounded to a multiple of 1 / 65,536."""


class Dropout(nn.Dropout):
    """Dropout whose mask costs a quarter of the random numbers.

    PyTorch draws one number of 32 bits for each value, one after the other, which takes up to a
    seventh of a training step on a processor. Sixteen bits are enough: one draw serves four values.
    Elsewhere than on a processor, this is PyTorch's.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop values of a tensor of any shape, in training only."""
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu" or self.p == 1:
            return super().forward(x)
        return x * self._mask(x)

    def _mask(self, x: Tensor) -> Tensor:
        """Return 0 for a value that is dropped, for others what keeps the mean as it was."""
        dropped = min(round(self.p * STEPS), STEPS - 1)
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        numbers = draws.view(torch.int16)[: x.numel()]
        mask = (numbers >= dropped - STEPS // 2).to(x.dtype)
        mask *= STEPS / (STEPS - dropped)
        # The mask's values stand in the memory order of `x`, whatever it is.
        dense = x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)
        return mask.as_strided(x.size(), x.stride()) if dense else mask.view(x.shape)
