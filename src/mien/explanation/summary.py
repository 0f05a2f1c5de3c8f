"""Explanations of many faces together: means by expression, and how far the methods hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.bootstrap import (
    Groups,
    drawn_interval,
    has_no_width,
    known_groups,
    share_interval,
)
from mien.evaluation.unvaried import UNKNOWN
from mien.explanation.explainer import ExplainedFace
from mien.explanation.faithfulness import Curve, Faithfulness
from mien.explanation.landmarks import median_landmarks
from mien.explanation.overlay import scale
from mien.explanation.regions import areas, region_map


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """What faces explained for one expression have in common.

    Args:
        expression: It.
        count: How many faces.
        face: uint8 (S, S), their mean.
        regions: intp (S, S), at the median of their landmarks.
        heatmaps: float64 (S, S) by method; each face counts alike, its strongest value being 1.
        shapley: float64 (R,), mean contributions.
        alone: float64 (R,), mean drops when one region alone is taken away.
        areas: float64 (R,), mean shares of the crop.
        shares: float64 (R,) by method, mean shares of the positive heatmap; None where no face
            has one.
    """

    expression: str
    count: int
    face: NDArray[np.uint8]
    regions: NDArray[np.intp]
    heatmaps: dict[str, NDArray[np.float64]]
    shapley: NDArray[np.float64]
    alone: NDArray[np.float64]
    areas: NDArray[np.float64]
    shares: dict[str, NDArray[np.float64] | None]


@dataclass(frozen=True)
class Estimate:
    """A mean over faces with its 95 % interval: a bootstrap's, Wilson's of a share.

    Where the subject of every face is known, whole subjects are drawn for both. Of a mean that is
    the same in all draws, as of a single face's, no interval is known: its bounds are NaN.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], people: Groups | None) -> Estimate:
        """Return the mean of values, one for each face."""
        known = np.array(values, dtype=np.float64)
        found = drawn_interval(lambda p: float(known[p].mean()), len(known), people, (-1.0, 1.0))
        return cls(float(known.mean()), *(UNKNOWN if has_no_width(found) else found))

    @classmethod
    def of_share(cls, hits: Sequence[bool], people: Groups | None) -> Estimate:
        """Return the share of faces that are hits."""
        return cls(sum(hits) / len(hits), *share_interval(np.array(hits), people))


@dataclass(frozen=True, eq=False)
class Trust:
    """How faithful a method is over many faces, beside random orders of the same pieces.

    Args:
        method: Its name.
        curves: Means over the faces.
        deletion_gain: How much smaller the area under deletion is than by chance.
        insertion_gain: How much larger the area under insertion is than by chance.
        deletion_better: Share of faces whose deletion is better than chance.
        insertion_better: Share of faces whose insertion is better than chance.
    """

    method: str
    curves: Faithfulness
    deletion_gain: Estimate
    insertion_gain: Estimate
    deletion_better: Estimate
    insertion_better: Estimate


def class_means(faces: Sequence[ExplainedFace]) -> list[ClassMeans]:
    """Return what the faces of each explained expression have in common, in order of name."""
    names = sorted({face.expression for face in faces})
    return [_class(name, [face for face in faces if face.expression == name]) for name in names]


def _class(expression: str, faces: Sequence[ExplainedFace]) -> ClassMeans:
    methods = [one.method for one in faces[0].explanations]
    side = len(faces[0].crop)
    return ClassMeans(
        expression=expression,
        count=len(faces),
        face=np.mean([face.crop for face in faces], axis=0).round().astype(np.uint8),
        regions=region_map(side, median_landmarks(face.landmarks for face in faces)),
        heatmaps={name: _mean_heatmap(faces, i) for i, name in enumerate(methods)},
        shapley=np.mean([face.contributions.shapley for face in faces], axis=0),
        alone=np.mean([face.contributions.alone for face in faces], axis=0),
        areas=np.mean([areas(face.contributions.regions) for face in faces], axis=0),
        shares={name: _mean_shares(faces, i) for i, name in enumerate(methods)},
    )


def _mean_heatmap(faces: Sequence[ExplainedFace], method: int) -> NDArray[np.float64]:
    heatmaps = [face.explanations[method].heatmap for face in faces]
    return np.asarray(np.mean([heatmap / scale(heatmap) for heatmap in heatmaps], axis=0))


def _mean_shares(faces: Sequence[ExplainedFace], method: int) -> NDArray[np.float64] | None:
    shares = [face.explanations[method].shares(face.contributions.regions) for face in faces]
    known = [share for share in shares if share is not None]
    return np.asarray(np.mean(known, axis=0)) if known else None


def trust(faces: Sequence[ExplainedFace]) -> list[Trust]:
    """Return how faithful each method, and the order of regions, is over faces."""
    people = known_groups(np.array([face.subject for face in faces]))
    return [
        _trust(name, [face.faithfulness[name] for face in faces], people)
        for name in faces[0].faithfulness
    ]


def _trust(method: str, faces: Sequence[Faithfulness], people: Groups | None) -> Trust:
    deletion = [one.random_deletion.area - one.deletion.area for one in faces]
    insertion = [one.insertion.area - one.random_insertion.area for one in faces]
    return Trust(
        method=method,
        curves=Faithfulness(
            _mean(faces, lambda one: one.deletion),
            _mean(faces, lambda one: one.insertion),
            _mean(faces, lambda one: one.random_deletion),
            _mean(faces, lambda one: one.random_insertion),
        ),
        deletion_gain=Estimate.of(deletion, people),
        insertion_gain=Estimate.of(insertion, people),
        deletion_better=Estimate.of_share([gain > 0 for gain in deletion], people),
        insertion_better=Estimate.of_share([gain > 0 for gain in insertion], people),
    )


def _mean(faces: Sequence[Faithfulness], which: Callable[[Faithfulness], Curve]) -> Curve:
    return Curve.mean([which(face) for face in faces])
