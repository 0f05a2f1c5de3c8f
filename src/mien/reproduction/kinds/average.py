"""Networks of other experiments, averaged and compared with each of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.data.dataset import FaceDataset
from mien.errors import MienError
from mien.evaluation.ensemble import WEIGHTINGS, Ensemble, Weighting, build_ensemble
from mien.evaluation.metrics import accuracy
from mien.evaluation.paired import mcnemar, paired_difference
from mien.evaluation.predict import predict_with
from mien.evaluation.predictions import Predictions
from mien.evaluation.predictions_file import read_predictions
from mien.evaluation.report import evaluate_run, predictions_file
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.reproduction.kinds import KINDS
from mien.reproduction.kinds.train import trained
from mien.reproduction.measured import Measured
from mien.reproduction.result import Average, Compared
from mien.training.run import Run
from mien.training.source import open_source


@KINDS.register("average")
def average(job: Job, bench: Bench) -> Measured:
    """Average the probabilities of the members, with equal shares and with fitted ones.

    Raises:
        MienError: If the members were not trained on the same data and splits, or the weights of
            one are gone.
    """
    for member in job.members:
        _check_there(member, bench)
    pairs = [trained(member, bench) for member in job.members]
    runs, faces = tuple(run for run, _ in pairs), pairs[0][1]
    tables = [_table(run, faces) for run in runs]
    averages = tuple(_average(job, runs, tables, faces, weights) for weights in WEIGHTINGS)
    return Measured(runs, faces, averages[0].figures, {"averages": averages})


def _check_there(member: Job, bench: Bench) -> None:
    """Check that a member was trained here, to its end: another training gives other weights."""
    folder = bench.folder(member)
    if not folder.exists():
        raise MienError(
            f"The weights of {member.key} are not in {bench.runs}: move its result away to train it"
            " again."
        )
    Run(folder).check_finished()


def _table(run: Run, faces: FaceDataset) -> Predictions:
    path = predictions_file(run, run.recipe().heads[0].labels, "none")
    if not path.exists():
        evaluate_run(run, faces)
    return read_predictions(path)


def _average(
    job: Job,
    runs: Sequence[Run],
    tables: Sequence[Predictions],
    faces: FaceDataset,
    weights: Weighting,
) -> Average:
    made = build_ensemble([open_source(str(run.folder)) for run in runs], faces, weighting=weights)
    mean = _predicted(made, faces).judged("test")
    on_val = [_accuracy(table.judged("val")) for table in tables]
    head = made.reports[0].head.name
    return Average(
        weights=weights,
        figures=made.reports[0].figures,
        members=tuple(
            _compared(
                mean,
                table.judged("test"),
                name=member.key,
                share=given.shares[head],
                best=number == int(np.argmax(on_val)),
            )
            for number, (member, given, table) in enumerate(zip(job.members, made.given, tables))
        ),
    )


def _predicted(made: Ensemble, faces: FaceDataset) -> Predictions:
    recipe = made.members[0].source.recipe
    return predict_with(made.network(), recipe.preprocess, recipe.heads, faces)[0]


def _compared(
    mean: Predictions, member: Predictions, *, name: str, share: float, best: bool
) -> Compared:
    truth = mean.truth
    first, second = member.probabilities, mean.probabilities
    found = paired_difference(accuracy, truth, first, second)
    right = [shares.argmax(1) == truth for shares in (first, second)]
    return Compared(
        name=name,
        share=share,
        accuracy=_accuracy(member),
        difference=found.value,
        low=found.low,
        high=found.high,
        p=mcnemar(*right).p,
        best=best,
    )


def _accuracy(faces: Predictions) -> float:
    return accuracy(faces.truth, faces.probabilities)
