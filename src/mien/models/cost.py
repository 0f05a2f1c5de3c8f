"""What a network costs."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count_macs(network: nn.Module, side: int) -> int:
    """Return the multiply-accumulates of one face of (1, side, side) pixels.

    The network's mode stays as it was.
    """
    trains = network.training
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network.eval()(torch.zeros(1, 1, side, side))
    network.train(trains)
    return int(counter.get_total_flops()) // 2
