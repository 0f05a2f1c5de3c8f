"""The CNN of Choudhari et al. 2025, for FER2013 with seven expressions.

Source: Choudhari et al. 2025, the section on the model: convolutions, pools and dropout, then
softmax over seven classes.

Left open by the paper, and chosen here as usual for such networks on FER2013: three blocks of a 3x3
convolution with padding and ReLU, a 2x2 pool and dropout .25, with 32, 64 and 128 filters; a dense
layer of 256 with ReLU; dropout .5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mien.models import NETWORKS
from mien.models.keras_network import KerasNetwork, KerasStack
from mien.models.options import share, switch, whole_number, whole_numbers


@NETWORKS.register("choudhari")
class Choudhari(KerasNetwork):
    """The whole network.

    Args:
        heads: Number of classes of each output, by name.
        filters: Filters of each convolution.
        dense: Units of the dense layer.
        dropout: Share dropped after each pool.
        dense_dropout: Share dropped after the dense layer.
        batch_norm: Whether convolutions have batch normalisation, after ReLU.
        size: Height and width of the faces in pixels.

    Raises:
        ValueError: For an option out of its range, or faces too small for the layers.
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        filters: Sequence[int] = (32, 64, 128),
        dense: int = 256,
        dropout: float = 0.25,
        dense_dropout: float = 0.5,
        batch_norm: bool = False,
        size: int = 48,
    ) -> None:
        share("dropout", dropout)
        switch("batch_norm", batch_norm)
        stack = KerasStack(size)
        for count in whole_numbers("filters", filters):
            stack.block(count, batch_norm=batch_norm, dropout=dropout)
        stack.flatten()
        stack.dense(whole_number("dense", dense))
        stack.dropout(share("dense_dropout", dense_dropout))
        super().__init__(stack, heads)
