"""The CNN of Chen 2024, for CK+48 with seven expressions.

Source: Juntao Chen, "CNN-Based Facial Emotion Recognition: Modeling and Evaluation", 2024, the
section on the model. Convolutions of 6 filters of 5x5, 16 of 5x5 and 64 of 3x3, each with a 2x2
pool, then a dense layer of 128, dropout and softmax.

Left open by the paper, and chosen here as in the public program for CK+48 with the same filters,
optimiser, folds and augmentation: ReLU after every layer, padding in the first two convolutions and
none in the third, dropout .5.

CK+48's files hold one grey value three times, and the paper feeds all three. Here the input stays
one channel and the network repeats it: the same function and the same training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional

from mien.errors import unknown_name
from mien.models import NETWORKS
from mien.models.keras_layers import PADDINGS, Padding
from mien.models.keras_network import KerasNetwork, KerasStack
from mien.models.options import share, switch, whole_number, whole_numbers

KERNELS = (5, 5, 3)
CHANNELS = (1, 3)


@NETWORKS.register("chen")
class Chen(KerasNetwork):
    """The whole network.

    Args:
        heads: Number of classes of each output, by name.
        channels: 3 to see the grey channel three times, as the paper; 1 to see it once.
        filters: Filters of the three convolutions.
        padding: Padding of each convolution, "same" or "valid".
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
        channels: int = 3,
        filters: Sequence[int] = (6, 16, 64),
        padding: Sequence[Padding] = ("same", "same", "valid"),
        dense: int = 128,
        dropout: float = 0.0,
        dense_dropout: float = 0.5,
        batch_norm: bool = False,
        size: int = 48,
    ) -> None:
        counts = whole_numbers("filters", filters)
        _check_layout(channels, counts, padding)
        switch("batch_norm", batch_norm)
        share("dropout", dropout)
        stack = KerasStack(size)
        stack.width = channels
        for count, kernel, edges in zip(counts, KERNELS, padding):
            stack.block(count, kernel, edges, batch_norm=batch_norm, dropout=dropout)
        first = stack.layers["conv1"]
        if channels > 1 and isinstance(first, nn.Conv2d):
            stack.layers["conv1"] = GreyConvolution(first)
        stack.flatten()
        stack.dense(whole_number("dense", dense))
        stack.dropout(share("dense_dropout", dense_dropout))
        super().__init__(stack, heads)


class GreyConvolution(nn.Conv2d):
    """A convolution of several channels that are all the same: the grey one.

    In training it is computed as one channel under the sum of the weights, which gives the same
    outputs and gradients in a fraction of the time. Otherwise, as in exported files, all channels
    stand, with the weights as they are.

    Args:
        layer: The convolution whose weights are taken over.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        size = (layer.kernel_size[0], layer.kernel_size[1])
        super().__init__(layer.in_channels, layer.out_channels, size)
        self.padding = layer.padding
        self.load_state_dict(layer.state_dict())

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, filters, H', W') for grey images (N, 1, H, W)."""
        if not self.training:
            return super().forward(images.expand(-1, self.in_channels, -1, -1))
        summed = self.weight.sum(1, keepdim=True)
        return functional.conv2d(images, summed, self.bias, padding=self.padding)


def _check_layout(channels: int, filters: Sequence[int], padding: Sequence[str]) -> None:
    if channels not in CHANNELS or isinstance(channels, bool):
        raise ValueError(f"option 'channels' must be 1 or 3, not {channels!r}")
    if len(filters) != len(KERNELS):
        raise ValueError(f"option 'filters' must list {len(KERNELS)} numbers, not {len(filters)}")
    if isinstance(padding, str) or len(padding) != len(KERNELS):
        raise ValueError(f"option 'padding' must list {len(KERNELS)} names, not {padding!r}")
    for name in padding:
        if name not in PADDINGS:
            raise ValueError(unknown_name("padding", name, PADDINGS))
