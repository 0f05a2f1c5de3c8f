"""Explanations as plain values for JSON, and as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.written import known
from mien.explanation.explainer import ExplainedFace
from mien.explanation.faithfulness import CELLS, ORDERS, Faithfulness
from mien.explanation.output import Output
from mien.explanation.regions import REGIONS, areas
from mien.explanation.settings import Settings
from mien.explanation.summary import ClassMeans, Estimate, Trust

DIGITS = 6


@dataclass(frozen=True)
class About:
    """What was explained, and how.

    Args:
        output: Of which model.
        methods: By which methods.
        settings: Their settings.
        source: The photo, or the dataset.
        chosen: How the faces were chosen, in words.
        places: Where the regions are, in words.
    """

    output: Output
    methods: tuple[str, ...]
    settings: Settings
    source: str
    chosen: str
    places: str


def record(
    about: About,
    faces: Sequence[ExplainedFace],
    classes: Sequence[ClassMeans],
    methods: Sequence[Trust],
) -> dict[str, Any]:
    """Return everything as plain values; what is undefined is None."""
    classifier = about.output.classifier
    return {
        "model": classifier.card.name,
        "model_sha256": classifier.sha256,
        "output": about.output.head.name,
        "expressions": about.output.head.expressions,
        "source": about.source,
        "chosen": about.chosen,
        "places": about.places,
        "settings": asdict(about.settings),
        "cells": CELLS,
        "random_orders": ORDERS,
        "regions": REGIONS,
        "faces": [_face(face) for face in faces],
        "classes": [_class(one) for one in classes],
        "faithfulness": [_trust(one) for one in methods],
    }


def arrays(faces: Sequence[ExplainedFace]) -> dict[str, NDArray[Any]]:
    """Return crops, regions and heatmaps of N faces as arrays (N, S, S), by name."""
    methods = [one.method for one in faces[0].explanations]
    return {
        "names": np.array([face.name for face in faces]),
        "crops": np.stack([face.crop for face in faces]),
        "regions": np.stack([face.contributions.regions for face in faces]).astype(np.uint8),
        **{
            name: np.stack([face.explanations[i].heatmap for face in faces]).astype(np.float32)
            for i, name in enumerate(methods)
        },
    }


def _face(face: ExplainedFace) -> dict[str, Any]:
    regions = face.contributions.regions
    return {
        "name": face.name,
        "expression": face.expression,
        "probability": round(face.probability, DIGITS),
        "probabilities": _plain(face.probabilities),
        "landmarks": None if face.landmarks is None else face.landmarks.round(4).tolist(),
        "areas": _plain(areas(regions)),
        "shapley": _plain(face.contributions.shapley),
        "alone": _plain(face.contributions.alone),
        "shares": {one.method: _plain(one.shares(regions)) for one in face.explanations},
        "faithfulness": {name: _areas(one) for name, one in face.faithfulness.items()},
    }


def _class(one: ClassMeans) -> dict[str, Any]:
    return {
        "expression": one.expression,
        "count": one.count,
        "areas": _plain(one.areas),
        "shapley": _plain(one.shapley),
        "alone": _plain(one.alone),
        "shares": {name: _plain(share) for name, share in one.shares.items()},
    }


def _trust(one: Trust) -> dict[str, Any]:
    estimates = ("deletion_gain", "insertion_gain", "deletion_better", "insertion_better")
    return {
        "method": one.method,
        "areas": _areas(one.curves),
        **{name: _estimate(getattr(one, name)) for name in estimates},
    }


def _estimate(one: Estimate) -> dict[str, float | None]:
    return {name: known(value) for name, value in asdict(one).items()}


def _areas(one: Faithfulness) -> dict[str, float]:
    return {
        "deletion": round(one.deletion.area, DIGITS),
        "random_deletion": round(one.random_deletion.area, DIGITS),
        "insertion": round(one.insertion.area, DIGITS),
        "random_insertion": round(one.random_insertion.area, DIGITS),
    }


def _plain(values: NDArray[np.float64] | None) -> list[float] | None:
    return None if values is None else values.round(DIGITS).tolist()
