"""The dataset type that every stage shares: parallel arrays, checked once where they are made."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mien.data.sample import SPLITS, Sample, Split
from mien.data.stack import gathered
from mien.errors import DataError
from mien.labels import VOTES, LabelSet

NO_TARGET = -1
"""The target of a face without a label."""


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """N labelled faces of one size.

    Args:
        name: The dataset's name.
        labels: What a target means.
        images: uint8 (N, H, W), grey.
        targets: int64 (N,), index into `labels`, or `NO_TARGET`.
        splits: str (N,), one of "train", "val", "test" or "".
        subjects: str (N,), who is shown, "" where unknown.
        sources: str (N,), the dataset each face comes from.
        ids: str (N,), unique.
        votes: uint8 (N, 10), raters' votes in the order of `mien.labels.VOTES`, or None.
        history: What was done to the dataset, one sentence a step.

    Raises:
        DataError: If the arrays do not fit together.
    """

    name: str
    labels: LabelSet
    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    splits: NDArray[np.str_]
    subjects: NDArray[np.str_]
    sources: NDArray[np.str_]
    ids: NDArray[np.str_]
    votes: NDArray[np.uint8] | None = None
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_images()
        self._check_columns()
        self._check_values()

    @classmethod
    def from_samples(cls, name: str, labels: LabelSet, samples: Iterable[Sample]) -> FaceDataset:
        """Collect samples into a dataset.

        Raises:
            DataError: If there are no samples, their sizes differ or an id occurs twice.
        """
        return cls.from_rows(name, labels, *gathered(name, samples))

    @classmethod
    def from_rows(
        cls, name: str, labels: LabelSet, rows: Sequence[Sample], images: NDArray[np.uint8]
    ) -> FaceDataset:
        """Return samples whose images lie in one array as a dataset.

        Args:
            name: The dataset's name.
            labels: What their expressions are of.
            rows: N samples; their own images are not looked at.
            images: uint8 (N, H, W), taken as it is: two copies may not fit into the memory.

        Raises:
            DataError: If there are no samples, or an id occurs twice.
        """
        if not rows:
            raise DataError(
                f"Dataset {name!r} must hold images of one size. Got no images instead."
            )
        return cls(
            name=name,
            labels=labels,
            images=images,
            targets=_targets(rows, labels),
            splits=np.array([row.split for row in rows], dtype=np.str_),
            subjects=np.array([row.subject for row in rows], dtype=np.str_),
            sources=np.array([row.source or name for row in rows], dtype=np.str_),
            ids=np.array([row.id for row in rows], dtype=np.str_),
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        target = int(self.targets[index])
        return Sample(
            id=str(self.ids[index]),
            image=self.images[index],
            expression="" if target == NO_TARGET else self.labels.expressions[target],
            split=_split(self.splits[index]),
            subject=str(self.subjects[index]),
            source=str(self.sources[index]),
        )

    def select(
        self,
        which: NDArray[np.bool_] | NDArray[np.intp],
        step: str = "",
        ids: NDArray[np.str_] | None = None,
    ) -> FaceDataset:
        """Return the faces a mask or an index array picks.

        Args:
            which: bool (N,), or positions.
            step: Added to the history.
            ids: Their new ids; needed where a face is picked more than once.
        """
        return dataclasses.replace(
            self,
            images=self.images[which],
            targets=self.targets[which],
            splits=self.splits[which],
            subjects=self.subjects[which],
            sources=self.sources[which],
            ids=self.ids[which] if ids is None else ids,
            votes=None if self.votes is None else self.votes[which],
            history=(*self.history, step) if step else self.history,
        )

    def renamed(self, name: str) -> FaceDataset:
        """Return the dataset under another name, which is also the source of its own faces."""
        return dataclasses.replace(
            self,
            name=name,
            sources=np.where(self.sources == self.name, name, self.sources),
            history=(*self.history, f"named {name}, before {self.name}"),
        )

    def in_split(self, split: Split) -> FaceDataset:
        """Return the faces of one split.

        Raises:
            DataError: If the dataset has none; says which splits it has.
        """
        mask = self.splits == split
        if not mask.any():
            found = ", ".join(repr(str(s)) for s in np.unique(self.splits) if s)
            raise DataError(
                f"Dataset {self.name!r} has no split {split!r}: it has {found or 'none at all'}."
            )
        return self.select(mask)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many faces each split holds of each expression."""
        return {
            str(split): {
                expression: int(((self.splits == split) & (self.targets == index)).sum())
                for index, expression in enumerate(self.labels.expressions)
            }
            for split in SPLITS
            if (self.splits == split).any()
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the content: label set, images, targets, votes and every other column.

        The name and the history are left out: the same faces have the same fingerprint.
        """
        digest = hashlib.sha256("\x1f".join(self.labels.expressions).encode())
        digest.update(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(self.targets.astype("<i8").tobytes())
        for column in (self.splits, self.subjects, self.sources, self.ids):
            digest.update("\x1f".join(column.tolist()).encode() + b"\x1e")
        digest.update(b"" if self.votes is None else np.ascontiguousarray(self.votes).tobytes())
        return digest.hexdigest()

    @cached_property
    def without_votes(self) -> FaceDataset:
        """The same faces and splits without what raters said of them."""
        return self if self.votes is None else dataclasses.replace(self, votes=None)

    def _check_images(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 3 or len(self.images) == 0:
            raise DataError(
                f"The images of dataset {self.name!r} must be uint8 (N, H, W) with N of at least 1."
                f" Got {self.images.dtype} {self.images.shape} instead."
            )

    def _check_columns(self) -> None:
        columns = ("targets", "splits", "subjects", "sources", "ids")
        for column in columns:
            values = getattr(self, column)
            if values.shape != (len(self),):
                raise DataError(
                    f"The {column} of dataset {self.name!r} must have one value per image,"
                    f" {len(self)}. Got shape {values.shape} instead."
                )
        wanted = (len(self), len(VOTES))
        if self.votes is not None and self.votes.shape != wanted:
            raise DataError(
                f"The votes of dataset {self.name!r} must have shape {wanted}."
                f" Got {self.votes.shape} instead."
            )

    def _check_values(self) -> None:
        if self.targets.min() < NO_TARGET or self.targets.max() >= len(self.labels):
            found = f"{self.targets.min()} to {self.targets.max()}"
            raise DataError(
                f"The targets of dataset {self.name!r} must be {NO_TARGET} to"
                f" {len(self.labels) - 1}. Got {found} instead."
            )
        for split in np.unique(self.splits):
            _split(split)
        repeated = [i for i, n in Counter(self.ids.tolist()).items() if n > 1]
        if repeated:
            raise DataError(f"Dataset {self.name!r} holds the id {repeated[0]!r} more than once.")


def _targets(rows: Sequence[Sample], labels: LabelSet) -> NDArray[np.int64]:
    known = {"": NO_TARGET} | {e: index for index, e in enumerate(labels.expressions)}
    for row in rows:
        if row.expression not in known:
            raise DataError(
                f"Sample {row.id!r} shows {row.expression!r}, which label set {labels.name!r}"
                f" lacks: it holds {', '.join(labels.expressions)}."
            )
    return np.array([known[row.expression] for row in rows], dtype=np.int64)


def _split(text: str) -> Split:
    for split in SPLITS:
        if split == text:
            return split
    raise DataError(f"A split must be 'train', 'val', 'test' or ''. Got {str(text)!r} instead.")
