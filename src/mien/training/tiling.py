"""The tiles in which a 3x3 convolution is computed with fewer multiplications."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import pad

TILE, PATCH = 4, 6
"""Sides of the outputs computed together, and of the inputs that they see."""

OVERLAP = PATCH - TILE

CHUNK_BYTES = 1 << 20
CHUNK_TILES = 128
"""How much is computed at a time: patches of so many bytes, to stay in the processor's cache, but
of so many tiles at least, for products that are worth their start."""


@dataclass(frozen=True)
class Tiling:
    """How the outputs of an image are divided into tiles; the last ones may reach over the border.

    Args:
        height: Of the outputs.
        width: Of the outputs.
        padding: Rows and columns of zeros around an image.
    """

    height: int
    width: int
    padding: int

    @classmethod
    def of(cls, height: int, width: int, padding: int) -> Tiling:
        """Return the tiling of the outputs of an image of so many pixels."""
        return cls(height + 2 * padding - OVERLAP, width + 2 * padding - OVERLAP, padding)

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
        """Tiles of an image."""
        return self.rows * self.columns

    def chunks(self, images: int, channels: int, threads: int) -> list[slice]:
        """Return which images are computed at a time, where a pixel has so many channels."""
        tiles = max(CHUNK_TILES, CHUNK_BYTES // (4 * PATCH**2 * channels))
        # Several threads that share a step need more of it each than one that never waits.
        step = max(1, tiles * threads * min(threads, 2) // self.count)
        return [slice(start, start + step) for start in range(0, images, step)]

    def patches(self, images: Tensor) -> Tensor:
        """Return what each tile sees, (36, tiles, C), of images (N, H, W, C)."""
        below = self.rows * TILE + OVERLAP - self.padding - images.shape[1]
        beside = self.columns * TILE + OVERLAP - self.padding - images.shape[2]
        canvas = pad(images, (0, 0, self.padding, beside, self.padding, below))
        return self._seen(canvas).reshape(PATCH**2, -1, images.shape[3])

    def summed(self, patches: Tensor) -> Tensor:
        """Return images (N, H, W, C) whose pixels are the sums of the patches' that see them."""
        height, width = self.rows * TILE + OVERLAP, self.columns * TILE + OVERLAP
        count, channels = patches.shape[1] // self.count, patches.shape[2]
        canvas = patches.new_empty(count, height, width, channels)
        seen = self._seen(canvas)
        patches = patches.view(seen.shape)
        first, last = slice(0, TILE), slice(TILE, PATCH)
        # The first 4x4 pixels of the patches cover all but the last two rows and columns. Those of
        # each other part lie apart, too: in no step is a pixel written to twice.
        canvas[:, -OVERLAP:] = 0
        canvas[:, :, -OVERLAP:] = 0
        seen[first, first] = patches[first, first]
        for rows, columns in ((first, last), (last, first), (last, last)):
            seen[rows, columns] += patches[rows, columns]
        start = self.padding
        below, beside = self.height + OVERLAP - start, self.width + OVERLAP - start
        return canvas[:, start:below, start:beside]

    def apart(self, outputs: Tensor) -> Tensor:
        """Return the tiles (16, tiles, C) of outputs (N, H', W', C)."""
        below, beside = self.rows * TILE - self.height, self.columns * TILE - self.width
        whole = pad(outputs, (0, 0, 0, beside, 0, below)) if below or beside else outputs
        split = whole.reshape(-1, self.rows, TILE, self.columns, TILE, outputs.shape[3])
        return split.permute(2, 4, 0, 1, 3, 5).reshape(TILE**2, -1, outputs.shape[3])

    def together(self, tiles: Tensor) -> Tensor:
        """Return the outputs (N, H', W', C) that tiles (16, tiles, C) make."""
        split = tiles.view(TILE, TILE, -1, self.rows, self.columns, tiles.shape[2])
        whole = split.permute(2, 3, 0, 4, 1, 5).flatten(3, 4).flatten(1, 2)
        return whole[:, : self.height, : self.width]

    def _seen(self, canvas: Tensor) -> Tensor:
        """Return what each tile sees, a view (6, 6, N, rows, columns, C) of a padded image."""
        image, row, column, channel = canvas.stride()
        size = (PATCH, PATCH, len(canvas), self.rows, self.columns, canvas.shape[3])
        return canvas.as_strided(
            size, (row, column, image, TILE * row, TILE * column, channel), canvas.storage_offset()
        )
