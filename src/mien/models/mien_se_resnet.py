"""Our own network: a residual network with squeeze-and-excitation, sized for 48x48 grey faces.

After He et al., "Deep Residual Learning", CVPR 2016, and Hu et al., CVPR 2018. Changes for small
faces: a 3x3 stem that halves the size once, and average pooling in the shortcuts that shrink
(He et al., "Bag of Tricks", CVPR 2019, model D), so that no pixel is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mien.models import NETWORKS
from mien.models.blocks import REDUCTION, Heads, SqueezeExcitation
from mien.models.dropout import Dropout
from mien.models.network import FaceNetwork
from mien.models.options import share, whole_number, whole_numbers


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with channel attention, added to a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            SqueezeExcitation(channels),
        )
        self.shortcut = _shortcut(channels_in, channels, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C, H / stride, W / stride), rounded up."""
        out: Tensor = self.relu(self.body(x) + self.shortcut(x))
        return out


class MienSEResNet(FaceNetwork):
    """The whole network.

    Args:
        heads: Number of classes of each output, by name.
        stem: Channels of the first convolution.
        channels: Channels of each stage, 8 or more; each stage but the first halves height and
            width, rounded up.
        blocks: Residual blocks of each stage.
        dropout: Share of features dropped before the heads.

    Raises:
        ValueError: For an option out of its range.
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        stem: int = 32,
        channels: Sequence[int] = (64, 128, 256),
        blocks: Sequence[int] = (2, 2, 2),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        _check_stages(channels, blocks)
        whole_number("stem", stem)
        self.stem = nn.Sequential(*_conv(1, stem, 1), *_conv(stem, channels[0], 2))
        stages: list[nn.Module] = []
        width = channels[0]
        for stage, (out, count) in enumerate(zip(channels, blocks)):
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(ResidualBlock(width, out, stride))
                width = out
        self.stages = nn.Sequential(*stages)
        self.dropout = Dropout(share("dropout", dropout))
        self.heads = Heads(width, heads)

    def features(self, images: Tensor) -> Tensor:
        """Return features (N, channels[-1]) for normalised float images (N, 1, H, W)."""
        features: Tensor = self.dropout(self.stages(self.stem(images)).mean((2, 3)))
        return features


NETWORKS.register("mien-se-resnet")(MienSEResNet)


def _check_stages(channels: Sequence[int], blocks: Sequence[int]) -> None:
    stages = len(whole_numbers("channels", channels))
    if min(channels) < REDUCTION:
        raise ValueError(
            f"option 'channels' must list numbers from {REDUCTION} up, not {channels!r}:"
            f" channel attention divides them by {REDUCTION}"
        )
    if stages != len(whole_numbers("blocks", blocks)):
        raise ValueError(
            f"options 'channels' and 'blocks' must have one number for each stage; they have"
            f" {stages} and {len(blocks)}"
        )


def _conv(channels_in: int, channels: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
    return [convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


def _shortcut(channels_in: int, channels: int, stride: int) -> nn.Module:
    if stride == 1 and channels_in == channels:
        return nn.Identity()
    # Rounded up, as the body's convolutions do; at an odd edge the pixels that are there count.
    pool = [nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False)] if stride > 1 else []
    projection = nn.Conv2d(channels_in, channels, 1, bias=False)
    return nn.Sequential(*pool, projection, nn.BatchNorm2d(channels))
