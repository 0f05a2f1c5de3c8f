"""Putting on record what a job measured: everything that its figures depend on."""

from __future__ import annotations

from collections.abc import Sequence

from mien.data.dataset import FaceDataset
from mien.reproduction.job import Job
from mien.reproduction.measured import Measured
from mien.reproduction.result import Data, Environment, Result
from mien.training.run import Run


def record(job: Job, measured: Measured, seconds: float) -> Result:
    """Return the result of a job that trained something.

    Args:
        job: The job.
        measured: What came out.
        seconds: How long it took.
    """
    runs = measured.runs
    return Result(
        paper=job.paper,
        experiment=job.experiment.name,
        protocol=job.protocol,
        seed=job.seed,
        quick=job.quick,
        recipe={job.key: job.recipe().model_dump(mode="json", exclude_none=True)},
        data=_data(measured.faces, runs),
        environment=Environment.model_validate(runs[0].environment()),
        parameters=_parameters(runs[0]),
        epochs=sum(run.epochs_logged() for run in runs),
        seconds=round(seconds, 1),
        figures=measured.figures,
        **measured.rest,
    )


def _data(faces: FaceDataset, runs: Sequence[Run]) -> Data:
    return Data(
        name=faces.name,
        fingerprint=faces.fingerprint,
        history=tuple(faces.history),
        counts=faces.counts(),
        trained_on=tuple(run.data()["trained_on"]["faces"] for run in runs),
    )


def _parameters(run: Run) -> int:
    return sum(weights.numel() for weights in run.module().network.parameters())
