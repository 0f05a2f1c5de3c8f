"""The figures of a run: calibrated on validation, measured once on test."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mien.card import Figure, Head, Views
from mien.data.dataset import FaceDataset
from mien.errors import MienError
from mien.evaluation.average.views import with_views
from mien.evaluation.calibration import fit_temperature, probabilities
from mien.evaluation.card_figures import split_figures
from mien.evaluation.doubt import doubt_report
from mien.evaluation.learnt import training_of_run
from mien.evaluation.metrics import expected_calibration_error
from mien.evaluation.origin import Origin
from mien.evaluation.predict import predict_with
from mien.evaluation.predictions import Predictions
from mien.evaluation.predictions_file import write_predictions
from mien.files import write_json
from mien.training.run import Run, of_views, report_name


@dataclass(frozen=True)
class HeadReport:
    """One head's calibration and test figures.

    Args:
        head: Name, expressions and fitted temperature.
        ece_before: Calibration error on test at temperature 1; None without a test face.
        figures: Test figures at the fitted temperature; none for a subset without a face.
    """

    head: Head
    ece_before: float | None
    figures: tuple[Figure, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        figures = [figure.model_dump() for figure in self.figures]
        return {**asdict(self), "head": self.head.model_dump(), "figures": figures}


def doubt_name(views: Views) -> str:
    """Return the name of the file that says when the model doubts."""
    return f"{of_views('doubt', views)}.json"


def predictions_file(run: Run, head: str, views: Views) -> Path:
    """Return the file of one output's predictions."""
    return run.folder / "predictions" / f"{of_views(head, views)}.parquet"


def evaluate_run(run: Run, dataset: FaceDataset, views: Views = "none") -> list[HeadReport]:
    """Predict, calibrate and measure a run's best epoch; write tables and a report.

    Args:
        run: A run that has a best epoch.
        dataset: The one it was trained on; it may have votes that the training did without.
        views: What the network sees of a face. Files of any but "none" carry its name, as
            `report-flip.json` and `doubt-flip.json` do.

    Raises:
        MienError: If the dataset is not the one the run was trained on, or lacks votes that an
            output learnt from.
    """
    found = training_of_run(run).differs(str(run.folder), dataset)
    if found:
        raise MienError(
            f"{found} If other faces are meant, mien data convert --as gives them another name."
        )
    module = run.module()
    network = with_views(module.network, views)
    recipe = module.recipe
    names = recipe.signal_names
    tables = predict_with(network, recipe.preprocess, recipe.heads, dataset, signals=names)
    reports = [head_report(table, dataset.name) for table in tables]
    outputs = tuple(head.labels for head in recipe.heads)
    for table, report in zip(tables, reports):
        output, temperature = table.labels.name, report.head.temperature
        named = replace(
            table,
            model=run.folder.resolve().name,
            temperature=temperature,
            origin=Origin(output=output, outputs=outputs),
        )
        write_predictions(named, predictions_file(run, output, views))
    write_json(run.folder / report_name(views), [report.as_dict() for report in reports])
    first = tables[0].calibrated(reports[0].head.temperature)
    doubt = doubt_report(first, dataset.name)
    write_json(run.folder / doubt_name(views), doubt.model_dump())
    return reports


def head_report(table: Predictions, dataset: str) -> HeadReport:
    """Fit the temperature on val, then compute every metric with its interval on test.

    Where no test face has a known truth the figures are of val, on which the epoch was selected.

    Raises:
        MienError: If no val face has a known truth.
    """
    val = table.judged("val")
    split = table.measured_split
    test = table.judged(split)
    temperature = fit_temperature(val.logits, val.truth)
    head = Head(
        name=table.labels.name, expressions=table.labels.expressions, temperature=temperature
    )
    figures = split_figures(head.name, test.calibrated(temperature), dataset, split)
    before = probabilities(test.logits, 1.0)
    ece_before = expected_calibration_error(test.truth, before) if len(test.ids) else None
    return HeadReport(head, ece_before, tuple(figures))
