"""Networks of other experiments, averaged and compared with each of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from mien.errors import MienError
from mien.evaluation.average.tables import WEIGHTINGS, Weighting, average_tables
from mien.evaluation.metrics import accuracy
from mien.evaluation.paired import mcnemar, paired_difference
from mien.evaluation.predictions import Predictions
from mien.reproduction.job import Job
from mien.reproduction.result import Average, Compared, Result
from mien.reproduction.store import Store


def average(job: Job, store: Store) -> Result:
    """Average what the members predict, with equal shares and with fitted ones.

    Their results and predictions are all that it takes: the weights may be gone.

    Args:
        job: One that has members.
        store: Where their results and predictions are.

    Raises:
        MienError: If one lacks its result or predictions, or they were not trained on the same data
            and splits.
    """
    began = time.monotonic()
    results, tables = zip(*(store.kept(member) for member in job.members))
    _check_data(results)
    averages = tuple(_average(job, tables, weights) for weights in WEIGHTINGS)
    first = results[0]
    trained_on = tuple(faces for result in results for faces in result.data.trained_on)
    return Result(
        paper=job.paper,
        experiment=job.experiment.name,
        protocol=job.protocol,
        seed=job.seed,
        quick=job.quick,
        recipe={key: recipe for result in results for key, recipe in result.recipe.items()},
        data=first.data.model_copy(update={"trained_on": trained_on}),
        environment=first.environment,
        parameters=sum(result.parameters for result in results),
        epochs=0,
        seconds=round(time.monotonic() - began, 1),
        figures=averages[0].figures,
        averages=averages,
        made_of={result.key: result.predictions for result in results},
    )


def _check_data(results: Sequence[Result]) -> None:
    first, *others = results
    for other in others:
        if other.data.fingerprint != first.data.fingerprint:
            raise MienError(
                f"{other.key} was trained on other data or splits than {first.key}, where it may"
                " have seen the faces of the test: the fingerprints differ."
            )


def _average(job: Job, tables: Sequence[Predictions], weights: Weighting) -> Average:
    made = average_tables(tables, weighting=weights)
    mean = made.table.judged("test")
    best = int(np.argmax([_accuracy(table.judged("val")) for table in tables]))
    return Average(
        weights=weights,
        figures=made.report.figures,
        members=tuple(
            _compared(mean, table.judged("test"), member.key, share, best=number == best)
            for number, (member, table, share) in enumerate(zip(job.members, tables, made.shares))
        ),
    )


def _compared(
    mean: Predictions, member: Predictions, name: str, share: float, *, best: bool
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
