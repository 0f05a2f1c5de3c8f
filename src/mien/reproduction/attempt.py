"""One job, run or gone on with, its result put on record."""

from __future__ import annotations

from mien.errors import MienError
from mien.reproduction.average import average
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.reproduction.kinds import KINDS
from mien.reproduction.record import record
from mien.reproduction.stopwatch import Stopwatch
from mien.reproduction.store import Store

STOPWATCH = ".seconds.json"


def attempt(job: Job, bench: Bench, store: Store) -> str:
    """Run a job and put its result on record; return why that could not be done, "" if it was."""
    try:
        _run(job, bench, store)
    except (MienError, OSError, RuntimeError, MemoryError) as error:
        # A RuntimeError is PyTorch's: no memory left, say.
        return failure(job, (str(error) or type(error).__name__).splitlines()[0])
    return ""


def failure(job: Job, reason: str) -> str:
    """Return the sentence for a job that failed."""
    return f"{job.sentence}: {reason}"


def _run(job: Job, bench: Bench, store: Store) -> None:
    if job.members:
        store.write(job, average(job, store))
        return
    folder = bench.folder(job)
    with Stopwatch(folder / STOPWATCH) as watch:
        measured = KINDS[job.experiment.kind](job, bench)
    store.write(job, record(job, measured, watch.seconds), measured.table if job.kept else None)
    for run in measured.runs:
        run.keep_best_only()
