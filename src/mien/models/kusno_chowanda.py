"""The eight CNNs of Kusno and Chowanda 2024, for FER2013 and CK+ with seven expressions.

Source: Kusno and Chowanda 2024, the table of the eight models' filters, and the printed layer
tables, which fix the layout of four convolutions: convolution, convolution, pool, dropout,
convolution, pool, convolution, pool, dropout, flatten, dense 1024, batch normalisation, dropout,
dense 7. Convolutions are 3x3 without padding. The tables count the parameters of models 2, 3, 4 and
6, and these networks have exactly as many. Model 7 is model 2 without batch normalisation.

Left open by the paper, and chosen here:

- Model 1 has five convolutions and four pools. The fifth convolution, with its pool, comes before
  the last dropout; the map shrinks to one pixel of 512 channels.
- ReLU follows every convolution and the dense layer.
- The dropout rates are .25 after pools and .5 after the dense layer, as in the public program for
  FER2013 whose layout this is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mien.models import NETWORKS
from mien.models.keras_network import KerasNetwork, KerasStack
from mien.models.options import share, switch, whole_number, whole_numbers

FILTERS: Mapping[int, Sequence[int]] = {
    1: (32, 64, 128, 256, 512),
    2: (32, 64, 128, 256),
    3: (64, 64, 128, 128),
    4: (64, 32, 64, 32),
    5: (32, 64, 32, 64),
    6: (32, 64, 128, 128),
    7: (32, 64, 128, 256),
    8: (32, 32, 64, 64),
}
"""The filters of each of the paper's models."""

WITHOUT_BATCH_NORM = 7


@NETWORKS.register("kusno-chowanda")
class KusnoChowanda(KerasNetwork):
    """One of the eight models, or one like them.

    Args:
        heads: Number of classes of each output, by name.
        model: The paper's model, 1 to 8.
        filters: Filters of each convolution, two or more, instead of the model's.
        dense: Units of the dense layer.
        dropout: Share dropped after the first and the last pool.
        dense_dropout: Share dropped after the dense layer.
        batch_norm: Whether the dense layer has batch normalisation, instead of as the model has.
        size: Height and width of the faces in pixels.

    Raises:
        ValueError: For an option out of its range, or faces too small for the layers.
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        model: int = 2,
        filters: Sequence[int] | None = None,
        dense: int = 1024,
        dropout: float = 0.25,
        dense_dropout: float = 0.5,
        batch_norm: bool | None = None,
        size: int = 48,
    ) -> None:
        if whole_number("model", model) not in FILTERS:
            raise ValueError(f"option 'model' must be from 1 to {len(FILTERS)}, not {model}")
        counts = whole_numbers("filters", FILTERS[model] if filters is None else filters, fewest=2)
        stack = KerasStack(size)
        _add_convolutions(stack, counts, share("dropout", dropout))
        stack.flatten()
        stack.dense(whole_number("dense", dense))
        normalised = model != WITHOUT_BATCH_NORM if batch_norm is None else batch_norm
        if switch("batch_norm", normalised):
            stack.batch_norm()
        stack.dropout(share("dense_dropout", dense_dropout))
        super().__init__(stack, heads)


def _add_convolutions(stack: KerasStack, filters: Sequence[int], dropout: float) -> None:
    first, *rest = filters
    stack.convolution(first)
    for number, count in enumerate(rest):
        stack.convolution(count)
        stack.pool()
        if number in (0, len(rest) - 1):
            stack.dropout(dropout)
