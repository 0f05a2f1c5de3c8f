"""Sections of a report that show the network itself: feature maps, and features as points."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from mien import pages
from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.explore.features import model_features
from mien.data.explore.figures import POINTS, scatter
from mien.errors import DataError, MissingExtraError
from mien.explanation import figures
from mien.explanation.explainer import ExplainedFace
from mien.explanation.output import Output
from mien.explanation.projection import PROJECTIONS
from mien.explanation.report import Report
from mien.figures import style


def check_feature_maps(output: Output, layers: Sequence[str], filters: Sequence[int]) -> None:
    """Check that there are such layers and filters, before anything long begins.

    Raises:
        MienError: If not, or the model has no single network.
    """
    from mien.explanation.feature_maps import feature_maps

    feature_maps(output, np.zeros((1, output.side, output.side), np.uint8), layers, filters)


def add_feature_maps(
    report: Report,
    output: Output,
    faces: Sequence[ExplainedFace],
    layers: Sequence[str],
    filters: Sequence[int],
) -> None:
    """Draw the maps of layers as means over faces.

    Raises:
        MienError: If there is no such layer or filter, or the model has no single network.
    """
    from mien.explanation.feature_maps import MOST, feature_maps

    crops = np.stack([face.crop for face in faces])
    for found in feature_maps(output, crops, layers, filters):
        title = f"Feature maps of {found.layer}"
        name = f"maps-{found.layer.replace('.', '-')}"  # a dot would begin a suffix
        with style():
            drawn = report.draw(name, figures.maps_figure(found), title)
        text = (
            f"Means over {len(faces):,} faces, each map on a scale of its own, bright where the"
            f" filter answers; unless chosen, the {MOST} filters that differ most from place to"
            " place."
        )
        report.add(title, pages.paragraph(text), drawn)


def check_projections(dataset: FaceDataset, kinds: Sequence[str]) -> None:
    """Check that faces can be projected, before anything long begins.

    Args:
        dataset: The faces.
        kinds: Names of `PROJECTIONS`.

    Raises:
        DataError: If fewer than three faces have a label.
        MissingExtraError: If a projection needs what is not installed.
    """
    labelled = int((dataset.targets != NO_TARGET).sum())
    if kinds and labelled < 3:
        raise DataError(
            f"A projection needs three labelled faces or more. Got {labelled} in {dataset.name!r}."
        )
    if "t-sne" in kinds and find_spec("sklearn") is None:
        raise MissingExtraError("The projection 't-sne'", "train")


def add_projections(
    report: Report, output: Output, dataset: FaceDataset, kinds: Sequence[str], *, seed: int = 0
) -> None:
    """Draw what the output is computed from as points, coloured by class.

    Args:
        report: Gets a section for each projection.
        output: Of the model.
        dataset: Of its labelled faces at most `POINTS` are drawn.
        kinds: Names of `PROJECTIONS`.
        seed: Seeds which faces.

    Raises:
        DataError: If fewer than three faces have a label.
        MissingExtraError: If a projection needs what is not installed.
    """
    check_projections(dataset, kinds)
    labelled = np.flatnonzero(dataset.targets != NO_TARGET)
    picks = np.random.default_rng(seed).permutation(labelled)[:POINTS]
    faces = dataset.select(np.sort(picks))
    features = model_features(faces, output.classifier, progress=True)
    for kind in kinds:
        found = PROJECTIONS[kind](features)
        title = f"Features of {len(faces):,} faces: {kind}"
        with style():
            drawn = report.draw(kind, scatter(faces, found.points, found.explained), title)
        text = (
            "Each point is a face, coloured by its label. Where colours mix, the network does not"
            " tell the expressions apart."
        )
        report.add(title, pages.paragraph(text), drawn)
