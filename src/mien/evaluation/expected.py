"""What a run measured of the figures that its recipe expects."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from mien.evaluation.report import HeadReport
from mien.recipe import ExpectedFigure
from mien.training.run import Run


def measured(
    expected: ExpectedFigure, reports: Sequence[HeadReport], run: Run | None = None
) -> float | None:
    """Return the figure that stands against an expected one, None where it was not measured.

    Reports are of test where there is one. Papers give accuracies on validation besides; that of
    the best epoch stands in the run's metrics.

    Args:
        expected: What the recipe says.
        reports: Of the run's heads.
        run: Where to look for what the reports lack.
    """
    wanted = (expected.head, expected.metric, expected.split, "all")
    for report in reports:
        for figure in report.figures:
            if (figure.head, figure.metric, figure.split, figure.subset) == wanted:
                return figure.value
    if run is None or (expected.metric, expected.split) != ("accuracy", "val"):
        return None
    return best_epoch(run).get(f"val_accuracy_{expected.head}")


def best_epoch(run: Run) -> dict[str, float]:
    """Return the metrics of the epoch whose weights were kept, by name; none without an epoch."""
    select = run.recipe().training.select
    sign = -1.0 if select == "val_loss" else 1.0
    with run.metrics_file.open(newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return max(rows, key=lambda row: sign * row[select], default={})
