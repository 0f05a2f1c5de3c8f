"""What a kind of experiment measured: figures, and the runs that they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mien.card import Figure
from mien.data.dataset import FaceDataset
from mien.evaluation.metrics import confusion
from mien.evaluation.predictions import Predictions
from mien.evaluation.predictions_file import read_predictions
from mien.evaluation.report import evaluate_run, head_report, predictions_file
from mien.reproduction.result import Confusion
from mien.training.run import Run
from mien.training.schedules import direction

MILESTONES = (5, 10, 20, 30, 50, 100, 200)
"""Epochs after which the best figure so far is kept."""


@dataclass(frozen=True)
class Measured:
    """What came out of a job, before it is put on record.

    Args:
        runs: What was trained.
        faces: Which faces, for the record.
        figures: With intervals.
        rest: Other fields of the result, by name.
        table: What the network predicts for val and test, of a single network.
    """

    runs: tuple[Run, ...]
    faces: FaceDataset
    figures: tuple[Figure, ...]
    rest: Mapping[str, Any] = field(default_factory=dict)
    table: Predictions | None = None


def predicted(run: Run, faces: FaceDataset) -> tuple[tuple[Figure, ...], Predictions]:
    """Measure a run's best epoch on test and on val; return figures and predictions.

    Papers' recipes have one output, the first here.
    """
    report = evaluate_run(run, faces)[0]
    table = read_predictions(predictions_file(run, report.head.name, "none"))
    figures = report.figures
    if table.measured_split == "test":
        figures += head_report(table.select(table.splits != "test"), faces.name).figures
    return figures, table


def confused(table: Predictions) -> Confusion:
    """Return who was taken for whom in the judged split."""
    split = table.measured_split
    faces = table.judged(split)
    counts = confusion(faces.truth, faces.probabilities)
    return Confusion(
        split=split,
        expressions=table.labels.expressions,
        counts=tuple(map(tuple, counts.tolist())),
    )


def best_within(run: Run) -> dict[int, float]:
    """Return the best figure on validation within so many epochs, as far as the run went."""
    select = run.recipe().training.select
    values = [row[select] for row in run.epochs()]
    best = np.maximum if direction(select) == "max" else np.minimum
    so_far = best.accumulate(values)
    return {epochs: float(so_far[epochs - 1]) for epochs in MILESTONES if epochs <= len(values)}
