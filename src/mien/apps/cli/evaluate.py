"""`mien evaluate`: measure a finished run again, also with test-time augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.apps.cli.console import say
from mien.apps.cli.data import Names, Votes
from mien.apps.cli.export import Tta
from mien.apps.cli.extras import need
from mien.apps.cli.train import Data, assembled, print_reports
from mien.errors import MienError


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder, as `mien train` leaves it.")],
    data: Data,
    votes: Votes = None,
    names: Names = None,
    tta: Tta = "none",
) -> None:
    """Measure a run's best epoch on the data it was trained on.

    Calibrates on validation, measures on test with bootstrap intervals, and writes the report that
    `mien export` puts into the file.
    """
    need("train", "Evaluating")
    from mien.evaluation.report import evaluate_run, report_name
    from mien.evaluation.views import known_views
    from mien.training.run import Run

    views = known_views(tta)
    finished = Run(run)
    if not finished.is_finished():  # later epochs would go by these figures
        raise MienError(f"{run} was not trained to the end: mien train with --resume goes on.")
    dataset = assembled(finished.recipe(), data, votes, names)
    print_reports(evaluate_run(finished, dataset, views))
    say(f"Wrote {run / report_name(views)}")
