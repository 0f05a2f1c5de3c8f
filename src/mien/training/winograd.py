"""3x3 convolutions with fewer multiplications, for processors that lack fast bf16.

Source: Lavin & Gray 2016, Fast Algorithms for Convolutional Neural Networks, section 4.
Outputs are computed in tiles of 4x4, by F(4x4, 3x3). The 6x6 pixels that a tile sees and the
filters are transformed, multiplied element by element, which over all channels is 36 matrix
products, and transformed back: 36 multiplications for 16 outputs instead of 144. GPUs' libraries do
so by themselves; of oneDNN, by which PyTorch computes on processors, it asks for direct sums.
Results differ from those by rounding alone, a few millionths.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mien.training.tiling import Tiling

LEAST_GAIN = 1.4
"""Times that the multiplications must be fewer to be taken; those of the transforms, which wait for
memory, count twice. By the layers' times on two cores with AVX2 (benchmarks/training.py)."""

_INPUT = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
_FILTER = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]
_OUTPUT = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]


def _both_ways(matrix: list[list[int]], divisor: int = 1) -> Tensor:
    one = torch.tensor(matrix, dtype=torch.float64) / divisor
    return torch.kron(one, one)


INPUT, FILTER, OUTPUT = _both_ways(_INPUT), _both_ways(_FILTER, 24), _both_ways(_OUTPUT)
"""Of patches (36, 36), filters (36, 9) and outputs (16, 36): along both sides at once."""


class WinogradConv2d(nn.Conv2d):
    """A convolution that takes the fewer multiplications where it expects to be faster by them.

    It has the weights, the names and, but for rounding, the outputs of the layer that it was. It is
    for training: second derivatives are not given.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Return the outputs (N, C', H', W') of images (N, C, H, W)."""
        padding = int(self.padding[0])
        if self._may(input) and pays(tuple(input.shape), self.out_channels, padding):
            return winograd(input, self.weight, self.bias, padding)
        return super().forward(input)

    def _may(self, images: Tensor) -> bool:
        # Of bf16 and fp16 the transforms would lose digits; what does not fit, PyTorch refuses.
        plain = images.device.type == "cpu" and images.dtype is self.weight.dtype is torch.float32
        fits = images.dim() == 4 and images.shape[1] == self.in_channels
        return plain and fits and not torch.is_autocast_enabled("cpu")


def with_winograd(network: nn.Module) -> nn.Module:
    """Let a network's 3x3 convolutions of stride 1 take the fewer multiplications; return it."""
    for layer in network.modules():
        if type(layer) is nn.Conv2d and _fits(layer):
            layer.__class__ = WinogradConv2d
    return network


def pays(shape: tuple[int, ...], filters: int, padding: int) -> bool:
    """Return whether a convolution of images (N, C, H, W) should be faster this way, by its size.

    Narrow layers and small maps are not: there the transforms, and tiles that reach over the
    border, cost what the products save.
    """
    images, channels, height, width = shape
    tiling = Tiling.of(height, width, padding)
    if min(images, tiling.height, tiling.width) < 1:
        return False
    pairs = channels * filters
    direct = 9 * images * tiling.height * tiling.width * pairs
    products = images * tiling.count * len(INPUT) * pairs
    transforms = images * tiling.count * (INPUT.numel() * channels + OUTPUT.numel() * filters)
    transforms += FILTER.numel() * pairs
    return direct >= LEAST_GAIN * (products + 2 * transforms)


def winograd(
    images: Tensor, weight: Tensor, bias: Tensor | None = None, padding: int = 0
) -> Tensor:
    """Convolve images with 3x3 filters, with stride 1.

    Args:
        images: Float (N, C, H, W).
        weight: Float (C', C, 3, 3).
        bias: Float (C',).
        padding: Rows and columns of zeros around the images.

    Returns:
        Float (N, C', H', W') in PyTorch's order channels_last; differentiable once.
    """
    # What the gradient of the weight will ask for; inside of a function no one can say.
    kept = torch.is_grad_enabled() and weight.requires_grad
    output: Tensor = _Winograd.apply(  # type: ignore[no-untyped-call]
        images, weight, bias, padding, kept
    )
    return output


class _Winograd(torch.autograd.Function):
    """Keeps the transformed patches for the gradient: 2.25 times the images, but no work twice."""

    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, kept: bool
    ) -> Tensor:
        tiling = Tiling.of(images.shape[2], images.shape[3], padding)
        filters = _filters(weight)
        outputs = _empty(len(images), len(weight), tiling.height, tiling.width, like=images)
        widest = max(filters.shape[1:])
        chunks = tiling.chunks(len(images), widest, torch.get_num_threads())
        inputs = []
        for chunk in chunks:
            seen = _transform(INPUT, tiling.patches(images[chunk].permute(0, 2, 3, 1)))
            inputs += [seen] if kept else []
            tiles = _transform(OUTPUT, torch.bmm(seen, filters))
            tiles = tiles if bias is None else tiles.add_(bias)
            outputs[chunk] = tiling.together(tiles).permute(0, 3, 1, 2)
        ctx.save_for_backward(weight, *inputs)
        ctx.tiling, ctx.shape, ctx.chunks = tiling, images.shape, chunks
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weight, *inputs = ctx.saved_tensors
        for_images, for_weight, for_bias = ctx.needs_input_grad[:3]
        tiling, filters = ctx.tiling, _filters(weight)
        of_images = _empty(*ctx.shape, like=gradient) if for_images else None
        of_filters = torch.zeros_like(filters)
        for number, chunk in enumerate(ctx.chunks):
            tiles = tiling.apart(gradient[chunk].permute(0, 2, 3, 1))
            of_products = _transform(OUTPUT.T, tiles)
            if for_weight:
                of_filters.baddbmm_(inputs[number].transpose(1, 2), of_products)
            if of_images is not None:
                of_inputs = torch.bmm(of_products, filters.transpose(1, 2))
                summed = tiling.summed(_transform(INPUT.T, of_inputs))
                of_images[chunk] = summed.permute(0, 3, 1, 2)
        of_bias = gradient.sum((0, 2, 3)) if for_bias else None
        return of_images, _weight(of_filters) if for_weight else None, of_bias, None, None


def _filters(weight: Tensor) -> Tensor:
    """Return the transformed filters (36, C, C') of a weight (C', C, 3, 3)."""
    return _transform(FILTER, weight.permute(2, 3, 1, 0).flatten(0, 1))


def _weight(filters: Tensor) -> Tensor:
    """Return the gradient of a weight (C', C, 3, 3) from that of its filters (36, C, C')."""
    return _transform(FILTER.T, filters).view(3, 3, *filters.shape[1:]).permute(3, 2, 0, 1)


def _transform(matrix: Tensor, values: Tensor) -> Tensor:
    """Apply a matrix (M, K) to values (K, A, B); return (M, A, B)."""
    return (matrix.to(values.dtype) @ values.flatten(1)).view(len(matrix), *values.shape[1:])


def _empty(*size: int, like: Tensor) -> Tensor:
    return torch.empty(
        size, dtype=like.dtype, device=like.device, memory_format=torch.channels_last
    )


def _fits(layer: nn.Conv2d) -> bool:
    return (
        layer.kernel_size == (3, 3)
        and layer.stride == (1, 1)
        and layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.padding in ((0, 0), (1, 1))
        and layer.padding_mode == "zeros"
    )
