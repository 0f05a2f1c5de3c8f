"""The two CNNs of Fatimatuzzahra et al. 2024, for FER2013 reduced to four expressions.

Source: Fatimatuzzahra et al. 2024, the sections on the basic and on the improved model. The
improved network adds two convolutions to the basic one (four in all), batch normalisation and
dropout .2, and has one dense layer.

Left open by the paper, and chosen here: 3x3 convolutions with padding, so that four pools leave 3x3
pixels of a 48x48 face, each with ReLU and a 2x2 pool; 32 and 64 filters in the basic network, 32,
64, 128 and 128 in the improved one; a dense layer of 128 with ReLU before softmax. In the improved
network batch normalisation follows the ReLU of each convolution, and dropout follows each pool and
the dense layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mien.models import NETWORKS
from mien.models.keras_network import KerasNetwork, KerasStack
from mien.models.options import share, switch, whole_number, whole_numbers


@NETWORKS.register("fatimatuzzahra")
class Fatimatuzzahra(KerasNetwork):
    """The improved network.

    Args:
        heads: Number of classes of each output, by name.
        filters: Filters of each convolution.
        dense: Units of the dense layer.
        dropout: Share dropped after each pool and after the dense layer.
        batch_norm: Whether convolutions have batch normalisation, after ReLU.
        size: Height and width of the faces in pixels.

    Raises:
        ValueError: For an option out of its range, or faces too small for the layers.
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        filters: Sequence[int] = (32, 64, 128, 128),
        dense: int = 128,
        dropout: float = 0.2,
        batch_norm: bool = True,
        size: int = 48,
    ) -> None:
        share("dropout", dropout)
        switch("batch_norm", batch_norm)
        stack = KerasStack(size)
        for count in whole_numbers("filters", filters):
            stack.block(count, batch_norm=batch_norm, dropout=dropout)
        stack.flatten()
        stack.dense(whole_number("dense", dense))
        stack.dropout(dropout)
        super().__init__(stack, heads)


@NETWORKS.register("fatimatuzzahra-basic")
class FatimatuzzahraBasic(Fatimatuzzahra):
    """The basic network: two convolutions, no batch normalisation, no dropout.

    Args:
        heads: Number of classes of each output, by name.
        filters: Filters of each convolution.
        dense: Units of the dense layer.
        size: Height and width of the faces in pixels.

    Raises:
        ValueError: For an option out of its range, or faces too small for the layers.
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        filters: Sequence[int] = (32, 64),
        dense: int = 128,
        size: int = 48,
    ) -> None:
        super().__init__(heads, filters, dense, dropout=0.0, batch_norm=False, size=size)
