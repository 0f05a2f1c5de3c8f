"""What a run measured of the figures that its recipe expects."""

from __future__ import annotations

from collections.abc import Sequence

from mien.evaluation.report import HeadReport
from mien.recipe import ExpectedFigure
from mien.training.run import Run


def measured(
    expected: ExpectedFigure, reports: Sequence[HeadReport], run: Run | None = None
) -> float | None:
    """Return the figure that stands against an expected one, None where it was not measured.

    Reports are of test where there is one. Papers give figures on validation, and on training, too;
    those of the best epoch stand in the run's metrics.

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
    name = f"{expected.split}_{expected.metric}_{expected.head}"
    return None if run is None else run.best_epoch().get(name)
