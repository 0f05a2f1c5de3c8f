"""Batches cut from tensors that stay in memory: no worker processes, no copies but the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, distributed

from mien.data.dataset import FaceDataset
from mien.recipe import HeadPart, SignalPart
from mien.training.signals import signal_targets
from mien.training.targets import head_targets


class Batch(NamedTuple):
    """B faces and what each head should say about them.

    Attributes:
        images: uint8 (B, 1, H, W) from `Batches`; float, augmented and normalised in the module.
        shares: By head, float32 (B, C), as `HeadTargets` has them.
        truth: By head, int64 (B,).
        signals: By signal, float32 (B,), not a number where it is unknown.
        shown: bool (B,), whether an image shows a face; None where all do.
    """

    images: Tensor
    shares: dict[str, Tensor]
    truth: dict[str, Tensor]
    signals: dict[str, Tensor]
    shown: Tensor | None = None

    def known(self) -> dict[str, Tensor]:
        """Return how many faces have a target, by head and signal; parts of one count as such."""
        heads = {name: shares.sum() for name, shares in self.shares.items()}
        return heads | {name: (~values.isnan()).sum() for name, values in self.signals.items()}


class Batches:
    """An iterable over a dataset's batches, in a new random order each time, or in order.

    The order comes from torch's global generator, which the training seeds at every epoch. In
    distributed training each process gets its share of every batch.

    Args:
        dataset: The faces.
        heads: What is to be said about them.
        batch_size: Faces of a batch, over all processes.
        shuffle: Whether the order is random; a last, smaller batch is then left out.
        signals: What else is to be said.
    """

    def __init__(
        self,
        dataset: FaceDataset,
        heads: Sequence[HeadPart],
        batch_size: int,
        *,
        shuffle: bool,
        signals: Sequence[SignalPart] = (),
    ) -> None:
        targets = {head.labels: head_targets(dataset, head) for head in heads}
        self._images = torch.from_numpy(dataset.images)[:, None]
        self._shares = {name: torch.from_numpy(t.shares) for name, t in targets.items()}
        self._truth = {name: torch.from_numpy(t.truth) for name, t in targets.items()}
        self._signals = {s.name: torch.from_numpy(signal_targets(dataset, s.name)) for s in signals}
        self._batch_size = batch_size
        self._shuffle = shuffle

    def blend(self, shares: Mapping[str, Tensor], weight: float) -> None:
        """Mix what a teacher says of each face into the targets.

        What a face's own targets lack of 1, all of it without a truth, is the teacher's word, too.

        Args:
            shares: By head, float32 (N, C); heads it says nothing of are left out.
            weight: Of the teacher, 0 to 1.
        """
        for name, said in shares.items():
            own = (1 - weight) * self._shares[name]
            self._shares[name] = own + (1 - own.sum(1, keepdim=True)) * said

    def __len__(self) -> int:
        faces = len(self._images)
        # A last, smaller batch would count more per face and upset batch normalisation.
        return faces // self._batch_size if self._shuffle else -(-faces // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        faces = len(self._images)
        order = torch.randperm(faces) if self._shuffle else torch.arange(faces)
        rank, processes = _place()
        if processes > 1 and self._shuffle:  # each process augments its faces differently
            torch.manual_seed(torch.initial_seed() + rank)
        for start in range(0, len(self) * self._batch_size, self._batch_size):
            index = order[start : start + self._batch_size][rank::processes]
            if len(index) == 0:
                continue
            yield Batch(
                self._images[index],
                {name: shares[index] for name, shares in self._shares.items()},
                {name: truth[index] for name, truth in self._truth.items()},
                {name: values[index] for name, values in self._signals.items()},
            )


def _place() -> tuple[int, int]:
    """Return this process's number and how many train together."""
    if not distributed.is_available() or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()
