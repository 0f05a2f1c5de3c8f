"""The stacked CNN of Mahastama et al. 2024, for FER2013, CK+ and IMED reduced to four expressions.

Source: Mahastama et al. 2024, the section on the model's architecture and the table of nine
scenarios. Each block is a 3x3 convolution with padding, ReLU, batch normalisation, a 2x2 pool and
dropout; then a dense layer of 256 with ReLU, dropout, and softmax.

- The stacked network has blocks of 256, 512, 384, 192 and 512 filters.
- The scenario without the additional layer has the first four.
- The last scenario adds a block of 1,024. Five pools leave one pixel of a 48x48 face, so a sixth
  pool cannot be built; this block is built without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mien.models import NETWORKS
from mien.models.keras_layers import KEPT
from mien.models.keras_network import KerasNetwork, KerasStack
from mien.models.options import share, switch, whole_number, whole_numbers

STACKED = (256, 512, 384, 192, 512)
WITHOUT_ADDITIONAL_LAYER = STACKED[:4]
WITH_1024 = (*STACKED, 1024)


@NETWORKS.register("mahastama")
class Mahastama(KerasNetwork):
    """The stacked network; `filters` makes its smaller and larger forms.

    Args:
        heads: Number of classes of each output, by name.
        filters: Filters of each block. A block whose map is one pixel has no pool.
        dense: Units of the dense layer.
        dropout: Share dropped after each pool.
        dense_dropout: Share dropped after the dense layer.
        batch_norm: Whether blocks have batch normalisation.
        norm_momentum: Share of the normalisations' moving averages that stays at each batch, as
            Keras names and sets it.
        size: Height and width of the faces in pixels.

    Raises:
        ValueError: For an option out of its range.
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        filters: Sequence[int] = STACKED,
        dense: int = 256,
        dropout: float = 0.5,
        dense_dropout: float = 0.5,
        batch_norm: bool = True,
        norm_momentum: float = KEPT,
        size: int = 48,
    ) -> None:
        share("dropout", dropout)
        switch("batch_norm", batch_norm)
        kept = share("norm_momentum", norm_momentum)
        stack = KerasStack(size)
        for count in whole_numbers("filters", filters):
            pool = stack.side > 1
            stack.block(count, batch_norm=batch_norm, kept=kept, pool=pool, dropout=dropout)
        stack.flatten()
        stack.dense(whole_number("dense", dense))
        stack.dropout(share("dense_dropout", dense_dropout))
        super().__init__(stack, heads)
