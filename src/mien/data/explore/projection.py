"""Principal components of pixels, and how far nearest neighbours get with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset

BLOCK = 1024


@dataclass(frozen=True)
class Components:
    """A projection on principal components.

    Args:
        points: float32 (N, K), the faces' coordinates.
        explained: float64 (K,), each component's share of the variance.
    """

    points: NDArray[np.float32]
    explained: NDArray[np.float64]


def principal_components(rows: NDArray[np.float32], count: int) -> Components:
    """Project rows (N, D) on their first `count` principal components.

    Where rows have fewer, because there are few of them or they are short, the rest is zero.
    """
    centred = rows - rows.mean(axis=0)
    directions, variances = _directions(centred, count)
    total = max(float(centred.var(axis=0, dtype=np.float64).sum()), 1e-12)
    lacking = count - len(variances)
    points = np.pad(centred @ directions, ((0, 0), (0, lacking)))
    return Components(points, np.pad(variances, (0, lacking)) / total)


def _directions(
    centred: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the first directions (D, K) of centred rows (N, D), and the variance along each."""
    faces, width = centred.shape
    if faces < width:
        values = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
        directions, variances = values[2].T, values[1] ** 2 / faces
    else:
        covariance = (centred.T @ centred).astype(np.float64) / faces
        variances, directions = np.linalg.eigh(covariance)
        directions, variances = directions[:, ::-1], variances[::-1]
    chosen = directions[:, :count]
    # The sign of a direction is arbitrary: make its largest entry positive.
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    return (chosen * signs).astype(np.float32), variances[:count]


def nearest_neighbours(
    known: NDArray[np.float32],
    targets: NDArray[np.int64],
    asked: NDArray[np.float32],
    neighbours: int,
) -> NDArray[np.int64]:
    """Return the most common class among the nearest known points of each asked point.

    Args:
        known: float32 (N, K).
        targets: int64 (N,), from 0.
        asked: float32 (M, K).
        neighbours: How many vote, by Euclidean distance; of equal counts the smallest class wins.
    """
    lengths = (known**2).sum(axis=1)
    classes = int(targets.max()) + 1
    decided = []
    for start in range(0, len(asked), BLOCK):
        # Distances up to a term that is the same for all known points.
        distances = lengths - 2 * asked[start : start + BLOCK] @ known.T
        nearest = np.argpartition(distances, neighbours - 1, axis=1)[:, :neighbours]
        votes = np.stack([(targets[nearest] == c).sum(axis=1) for c in range(classes)], axis=1)
        decided.append(votes.argmax(axis=1))
    return np.concatenate(decided)


def baseline(
    dataset: FaceDataset, rows: NDArray[np.float32], components: int = 50, neighbours: int = 15
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Classify the test faces by their nearest training faces in component space.

    Args:
        dataset: N faces.
        rows: float32 (N, D), what is known of each face: pixels or features.
        components: How many of the rows' principal components are used, D at most.
        neighbours: How many training faces vote.

    Returns:
        Truth and decision of the labelled test faces, or None without both splits.
    """
    labelled = dataset.targets != NO_TARGET
    train = labelled & (dataset.splits == "train")
    test = labelled & (dataset.splits == "test")
    if train.sum() < neighbours or not test.any():
        return None
    centred = rows - rows[train].mean(axis=0)
    directions, _ = _directions(centred[train], components)
    known, asked = centred[train] @ directions, centred[test] @ directions
    decided = nearest_neighbours(known, dataset.targets[train], asked, neighbours)
    return dataset.targets[test], decided
