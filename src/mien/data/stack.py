"""Images gathered one by one into one array, of which the memory holds no second copy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mien.data.sample import Sample
from mien.errors import DataError

BLOCK = 2**20
"""Bytes by which the array grows at least."""

NO_IMAGE = np.empty((0, 0), dtype=np.uint8)


def gathered(name: str, samples: Iterable[Sample]) -> tuple[list[Sample], NDArray[np.uint8]]:
    """Read samples one by one into an array of their images, of which there is no second copy.

    Photographs would fill the memory before the last is read, so it ends at the first whose image
    has another size than those before.

    Args:
        name: The dataset's name, for the error.
        samples: Read once.

    Returns:
        The samples without their images, and these, uint8 (N, H, W).

    Raises:
        DataError: Naming two samples and their sizes.
    """
    rows: list[Sample] = []
    stack = _Stack()
    for sample in samples:
        if rows and sample.image.shape != stack.shape:
            raise _of_two_sizes(name, (rows[0].id, stack.shape), (sample.id, sample.image.shape))
        stack.add(sample.image)
        rows.append(dataclasses.replace(sample, image=NO_IMAGE))
    return rows, stack.whole()


def _of_two_sizes(name: str, *samples: tuple[str, tuple[int, ...]]) -> DataError:
    found = " and ".join(f"{shape[1]}x{shape[0]} for {id_!r}" for id_, shape in samples)
    return DataError(
        f"Dataset {name!r} must hold images of one size. Got {found}: mien data prepare makes faces"
        " of one size of pictures."
    )


class _Stack:
    """Images of one size in one array, which grows where it lies.

    Each time it grows by an eighth, and by `BLOCK` bytes or one image at least.
    """

    def __init__(self) -> None:
        self._images: NDArray[np.uint8] = np.empty((0, 0, 0), dtype=np.uint8)
        self._count = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width of an image, in pixels."""
        return self._images.shape[1:]

    def add(self, image: NDArray[np.uint8]) -> None:
        """Copy an image behind the others."""
        if self._count == 0:
            self._images = np.empty((0, *image.shape), dtype=image.dtype)
        if self._count == len(self._images):
            self._resize(self._count + max(self._count // 8, BLOCK // max(image.nbytes, 1), 1))
        self._images[self._count] = image
        self._count += 1

    def whole(self) -> NDArray[np.uint8]:
        """Return the array, cut to the images that are in it; nothing can be added any more."""
        self._resize(self._count)
        return self._images

    def _resize(self, count: int) -> None:
        # The system moves pages and copies none; nobody else holds the array yet.
        self._images.resize((count, *self.shape), refcheck=False)
