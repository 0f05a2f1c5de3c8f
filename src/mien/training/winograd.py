"""3x3 convolutions with a quarter of the multiplications, for processors that lack fast bf16.

Source: Lavin & Gray 2016, Fast Algorithms for Convolutional Neural Networks, section 4.
Outputs are computed in tiles of 4x4, by F(4x4, 3x3). The 6x6 pixels that a tile sees and the
filters are transformed, multiplied element by element, which over all channels is 36 matrix
products, and transformed back. GPUs' libraries do so by themselves; oneDNN, by which PyTorch
computes on processors, does not. Results differ from the direct sum's by rounding alone, a few
millionths.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mien.training.tiling import PATCH, TILE, Tiling

LEAST_GAIN = 1.25
"""Times that the multiplications must be fewer to be taken; those of the transforms, which wait for
memory, count twice."""

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
    """A convolution that takes the fewer multiplications where they pay.

    It has the weights, the names and, but for rounding, the outputs of the layer that it was.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Return the outputs (N, C', H', W') of images (N, C, H, W)."""
        padding = int(self.padding[0])
        if not pays(tuple(input.shape), self.out_channels, padding) or not _plain(input):
            return super().forward(input)
        return winograd(input, self.weight, self.bias, padding)


def with_winograd(network: nn.Module) -> nn.Module:
    """Let a network's 3x3 convolutions of stride 1 take the fewer multiplications; return it."""
    for layer in network.modules():
        if type(layer) is nn.Conv2d and _fits(layer):
            layer.__class__ = WinogradConv2d
    return network


def pays(shape: tuple[int, ...], filters: int, padding: int) -> bool:
    """Return whether a convolution of images (N, C, H, W) is faster this way, by its size.

    Narrow layers and small maps are not: there the transforms, and tiles that reach over the
    border, cost what the products save.
    """
    tiling, channels = Tiling.of(shape, padding), shape[1]
    pairs = channels * filters
    direct = 9 * tiling.images * tiling.height * tiling.width * pairs
    products = tiling.count * INPUT.shape[0] * pairs
    transforms = tiling.count * (INPUT.numel() * channels + OUTPUT.numel() * filters)
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
    # Inside of a function of its own PyTorch never says that gradients are wanted.
    learns = torch.is_grad_enabled()
    output: Tensor = _Winograd.apply(  # type: ignore[no-untyped-call]
        images, weight, bias, padding, learns
    )
    return output


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, learns: bool
    ) -> Tensor:
        tiling = Tiling.of(tuple(images.shape), padding)
        patches = tiling.patches(tiling.padded(images))
        filters = _transform(FILTER, weight.permute(2, 3, 1, 0))
        size = (tiling.images, len(weight), tiling.height, tiling.width)
        outputs = torch.empty(size, dtype=images.dtype, memory_format=torch.channels_last)
        seen = []
        for chunk in tiling.chunks(max(weight.shape[:2])):
            inputs = _transform(INPUT, patches[:, :, chunk])
            seen += [inputs] if learns else []
            made = _transform(OUTPUT, torch.bmm(inputs, filters))
            made = made if bias is None else made.add_(bias)
            outputs[chunk] = tiling.together(made).permute(0, 3, 1, 2)
        ctx.save_for_backward(filters, *seen)
        ctx.tiling, ctx.shape = tiling, images.shape
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        filters, *seen = ctx.saved_tensors
        tiling, (_, channels, *sides) = ctx.tiling, ctx.shape
        of_outputs = gradient.permute(0, 2, 3, 1)
        canvas = tiling.canvas(gradient, channels) if ctx.needs_input_grad[0] else None
        of_filters = torch.zeros_like(filters)
        for inputs, chunk in zip(seen, tiling.chunks(max(filters.shape[1:]))):
            of_products = _transform(OUTPUT.T, tiling.apart(of_outputs[chunk]))
            of_filters.baddbmm_(inputs.transpose(1, 2), of_products)
            if canvas is not None:
                of_inputs = torch.bmm(of_products, filters.transpose(1, 2))
                _sum_patches(tiling, canvas, chunk, _transform(INPUT.T, of_inputs))
        of_weight = _transform(FILTER.T, of_filters).view(3, 3, *filters.shape[1:])
        of_bias = gradient.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
        of_images = None if canvas is None else tiling.inside(canvas, *sides).permute(0, 3, 1, 2)
        return of_images, of_weight.permute(3, 2, 0, 1), of_bias, None, None


def _transform(matrix: Tensor, values: Tensor) -> Tensor:
    """Apply a matrix (M, K) to values (K or its two factors, ..., C); return (M, tiles, C)."""
    flat = matrix.to(values.dtype) @ values.reshape(matrix.shape[1], -1)
    return flat.view(len(matrix), -1, values.shape[-1])


def _sum_patches(tiling: Tiling, canvas: Tensor, chunk: slice, values: Tensor) -> None:
    """Put the sum of patches (36, tiles, C), which overlap by two rows, into images of a canvas."""
    patches = tiling.patches(canvas)[:, :, chunk]
    values = values.view_as(patches)
    first, last = slice(0, TILE), slice(TILE, PATCH)
    # What each patch has for itself covers all but the last two rows and columns.
    canvas[chunk, -2:] = 0
    canvas[chunk, :, -2:] = 0
    patches[first, first] = values[first, first]
    for rows, columns in ((first, last), (last, first), (last, last)):
        patches[rows, columns] += values[rows, columns]


def _fits(layer: nn.Conv2d) -> bool:
    return (
        layer.kernel_size == (3, 3)
        and layer.stride == (1, 1)
        and layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.padding in ((0, 0), (1, 1))
        and layer.padding_mode == "zeros"
    )


def _plain(images: Tensor) -> bool:
    return images.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
