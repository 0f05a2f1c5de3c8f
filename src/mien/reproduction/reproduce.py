"""Running jobs one after the other, cheapest first, through interruptions."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console

from mien.errors import MienError
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job, cheapest_first
from mien.reproduction.kinds import KINDS
from mien.reproduction.record import record
from mien.reproduction.stopwatch import Stopwatch
from mien.reproduction.store import Store

STOPWATCH = ".seconds.json"


def reproduce(jobs: Sequence[Job], bench: Bench, store: Store) -> list[str]:
    """Run the jobs whose results are not there yet; put each result on record.

    The same call goes on where a kill or an interruption left off: finished jobs are not run again,
    a training continues after its last whole epoch.

    Args:
        jobs: What is wanted; an average brings the jobs of its members.
        bench: Where they run; it has their datasets.
        store: Where results go.

    Returns:
        A sentence for each job that could not be run; the others are done all the same.
    """
    waiting = [job for job in cheapest_first(jobs) if job not in store]
    console = Console(stderr=True, quiet=not bench.progress, highlight=False)
    began, spent, failed = time.monotonic(), 0.0, []
    for number, job in enumerate(waiting):
        pace = (time.monotonic() - began) / 60 / spent if spent else 1.0
        left = pace * sum(job.minutes for job in waiting[number:])
        console.print(
            f"{number + 1} of {len(waiting)}: {job.sentence}; about {_time(pace * job.minutes)},"
            f" all about {_time(left)}"
        )
        try:
            _run(job, bench, store)
        except (MienError, RuntimeError, MemoryError) as error:
            # A RuntimeError is PyTorch's: no memory left, say.
            reason = (str(error) or type(error).__name__).splitlines()[0]
            failed.append(f"{job.sentence}: {reason}")
        spent += job.minutes
    return failed


def _run(job: Job, bench: Bench, store: Store) -> None:
    folder = bench.folder(job)
    with Stopwatch(folder / STOPWATCH) as watch:
        measured = KINDS[job.experiment.kind](job, bench)
    store.write(job, record(job, measured, watch.seconds))
    for run in measured.runs:
        run.keep_best_only()


def _time(minutes: float) -> str:
    return f"{minutes / 60:.1f} h" if minutes >= 90 else f"{minutes:.1f} min"
