"""Networks that are one chain of Keras layers, as Keras's `Sequential` builds them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mien.errors import RecipeError
from mien.models.blocks import Heads
from mien.models.dropout import Dropout
from mien.models.keras_layers import (
    KEPT,
    KerasBatchNorm1d,
    KerasBatchNorm2d,
    Padding,
    convolution,
    dense,
    draw_weights,
)
from mien.models.network import FaceNetwork
from mien.models.options import whole_number


class KerasStack:
    """Collects layers and follows the size of the map, so that nothing has to be run to know it.

    Args:
        size: Height and width of the input in pixels; the input has one channel.

    Attributes:
        side: Height and width of the map after the last layer; 0 once it is flattened.
        width: Channels of the map, or length of the feature vector.
    """

    def __init__(self, size: int) -> None:
        self.size = whole_number("size", size)
        self.side = size
        self.width = 1
        self.layers: dict[str, nn.Module] = {}

    def block(
        self,
        filters: int,
        kernel: int = 3,
        padding: Padding = "same",
        *,
        batch_norm: bool,
        kept: float = KEPT,
        pool: bool = True,
        dropout: float,
    ) -> None:
        """Add a convolution with ReLU, batch normalisation and a pool if wanted, and dropout."""
        self.convolution(filters, kernel, padding)
        if batch_norm:
            self.batch_norm(kept)
        if pool:
            self.pool()
        self.dropout(dropout)

    def convolution(self, filters: int, kernel: int = 3, padding: Padding = "valid") -> None:
        """Add a convolution with ReLU."""
        self._keep_map(self.side if padding == "same" else self.side - kernel + 1, "convolution")
        self.add("conv", convolution(self.width, filters, kernel, padding))
        self.add("relu", nn.ReLU(inplace=True))
        self.width = filters

    def pool(self) -> None:
        """Add the maximum over squares of 2x2; an odd last row and column are dropped."""
        self._keep_map(self.side // 2, "pool")
        # The largest of four and ReLU may change places, values and gradients stay the same; a
        # quarter of the values is left for ReLU then.
        relu = next(reversed(self.layers), "").startswith("relu")
        if relu:
            self.layers.popitem()
        self.add("pool", nn.MaxPool2d(2))
        if relu:
            self.add("relu", nn.ReLU(inplace=True))

    def batch_norm(self, kept: float = KEPT) -> None:
        """Add batch normalisation whose moving averages keep so much of themselves a batch."""
        kind = KerasBatchNorm2d if self.side else KerasBatchNorm1d
        self.add("norm", kind(self.width, kept))

    def dropout(self, rate: float) -> None:
        """Add dropout, unless its rate is 0."""
        if rate > 0:
            self.add("dropout", Dropout(rate))

    def flatten(self) -> None:
        """Turn the map into a feature vector."""
        self.add("flatten", nn.Flatten())
        self.width *= self.side**2
        self.side = 0

    def dense(self, units: int) -> None:
        """Add a fully connected layer with ReLU."""
        self.add("dense", dense(self.width, units))
        self.add("relu", nn.ReLU())
        self.width = units

    def add(self, kind: str, layer: nn.Module) -> None:
        """Add a layer that leaves `side` and `width` as they are."""
        number = 1 + sum(name.rstrip("0123456789") == kind for name in self.layers)
        self.layers[f"{kind}{number}"] = layer

    def _keep_map(self, side: int, layer: str) -> None:
        if side < 1:
            raise ValueError(
                f"a {layer} would leave nothing of a map of {self.side}x{self.side} pixels: faces"
                f" of {self.size}x{self.size} pixels are too small for so many layers"
            )
        self.side = side


class KerasNetwork(FaceNetwork):
    """A stack of layers, then the heads, which Keras calls the last dense layer.

    Its softmax is part of the loss.

    Args:
        stack: The layers; their output is flat.
        heads: Number of classes of each output, by name.
    """

    def __init__(self, stack: KerasStack, heads: Mapping[str, int]) -> None:
        super().__init__()
        self.size = stack.size
        self.layers = nn.Sequential()
        for name, layer in stack.layers.items():
            self.layers.add_module(name, layer)
        self.heads = Heads(stack.width, heads)
        for head in self.heads.linear.values():
            if isinstance(head, nn.Linear):
                draw_weights(head)

    def features(self, images: Tensor) -> Tensor:
        """Return features (N, heads.width) for normalised float images (N, 1, size, size).

        Raises:
            RecipeError: For images of another size: the dense layers are made for one.
        """
        height, width = images.shape[2:]
        if (height, width) != (self.size, self.size):
            raise RecipeError(
                f"The network's option 'size' must be the size of the faces, {height}x{width}"
                f" pixels. Got {self.size} instead."
            )
        features: Tensor = self.layers(images)
        return features
