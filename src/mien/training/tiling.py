"""The tiles in which a 3x3 convolution is computed with fewer multiplications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

TILE, PATCH = 4, 6
"""Sides of the outputs computed together, and of the inputs that they see."""

CHUNK_BYTES = 1 << 20
CHUNK_TILES = 128
"""Images are taken together up to so many bytes, which caches hold, or so few tiles."""


@dataclass(frozen=True)
class Tiling:
    """How the outputs of a convolution are divided into tiles.

    Args:
        images: Number of images.
        height: Of an image's outputs.
        width: Of an image's outputs.
        padding: Zeros around an image.
    """

    images: int
    height: int
    width: int
    padding: int

    @classmethod
    def of(cls, shape: tuple[int, ...], padding: int) -> Tiling:
        """Return the tiling for images (N, C, H, W)."""
        height, width = (side + 2 * padding - 2 for side in shape[2:])
        return cls(shape[0], height, width, padding)

    @property
    def rows(self) -> int:
        """Tiles from top to bottom."""
        return -(-self.height // TILE)

    @property
    def columns(self) -> int:
        """Tiles from left to right."""
        return -(-self.width // TILE)

    @property
    def count(self) -> int:
        """Tiles of all images."""
        return self.images * self.rows * self.columns

    def chunks(self, channels: int) -> Iterator[slice]:
        """Yield the images that are taken together, where tensors have so many channels."""
        tiles = max(CHUNK_TILES, CHUNK_BYTES // (4 * PATCH**2 * channels))
        step = max(1, tiles // (self.rows * self.columns))
        return (slice(start, start + step) for start in range(0, self.images, step))

    def canvas(self, like: Tensor, channels: int) -> Tensor:
        """Return room (N, H, W, C) for whole tiles and what they see, not cleared."""
        height, width = self.rows * TILE + 2, self.columns * TILE + 2
        return like.new_empty(self.images, height, width, channels)

    def padded(self, images: Tensor) -> Tensor:
        """Return a canvas with the images (N, C, H, W) and zeros around them."""
        canvas = self.canvas(images, images.shape[1])
        height, width = images.shape[2:]
        for side, length in ((canvas, height), (canvas.transpose(1, 2), width)):
            side[:, : self.padding] = 0
            side[:, self.padding + length :] = 0
        self.inside(canvas, height, width).copy_(images.permute(0, 2, 3, 1))
        return canvas

    def inside(self, canvas: Tensor, height: int, width: int) -> Tensor:
        """Return the images' own pixels (N, H, W, C) of a canvas."""
        start = self.padding
        return canvas[:, start : start + height, start : start + width]

    def patches(self, canvas: Tensor) -> Tensor:
        """Return what each tile sees, a view (6, 6, N, rows, columns, C) of a canvas."""
        image, row, column, channel = canvas.stride()
        size = (PATCH, PATCH, self.images, self.rows, self.columns, canvas.shape[3])
        return canvas.as_strided(
            size, (row, column, image, TILE * row, TILE * column, channel), canvas.storage_offset()
        )

    def apart(self, outputs: Tensor) -> Tensor:
        """Return tiles (16, tiles, C) of some images' outputs (N, H', W', C)."""
        below = self.rows * TILE - self.height
        beside = self.columns * TILE - self.width
        if below or beside:
            outputs = nn.functional.pad(outputs, (0, 0, 0, beside, 0, below))
        split = outputs.reshape(-1, self.rows, TILE, self.columns, TILE, outputs.shape[3])
        return split.permute(2, 4, 0, 1, 3, 5).reshape(TILE**2, -1, outputs.shape[3])

    def together(self, tiles: Tensor) -> Tensor:
        """Return the outputs (N, H', W', C) of some images from their tiles (16, tiles, C)."""
        split = tiles.view(TILE, TILE, -1, self.rows, self.columns, tiles.shape[2])
        rows = split.permute(2, 3, 0, 4, 1, 5).flatten(3, 4).flatten(1, 2)
        return rows[:, : self.height, : self.width]
