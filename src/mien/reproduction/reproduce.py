"""Running jobs, cheapest first, through interruptions."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console

from mien.reproduction.attempt import attempt
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job, cheapest_first
from mien.reproduction.side_by_side import SideBySide
from mien.reproduction.store import Store


def reproduce(jobs: Sequence[Job], bench: Bench, store: Store, at_once: int = 1) -> list[str]:
    """Run the jobs whose results are not there yet; put each result on record.

    The same call goes on where a kill or an interruption left off: finished jobs are not run again,
    a training continues after its last whole epoch.

    Args:
        jobs: What is wanted; an average brings the jobs of its members.
        bench: Where they run; it has their datasets.
        store: Where results go.
        at_once: How many jobs run side by side, each in a process and with a share of the
            processors of its own; 1 runs them in this one.

    Returns:
        A sentence for each job that could not be run; the others are done all the same.
    """
    waiting = [job for job in cheapest_first(jobs) if not store.done(job)]
    if min(at_once, len(waiting)) > 1:
        return SideBySide(bench, store, min(at_once, len(waiting))).run(waiting)
    return _one_by_one(waiting, bench, store)


def _one_by_one(waiting: Sequence[Job], bench: Bench, store: Store) -> list[str]:
    console = Console(stderr=True, quiet=not bench.progress, highlight=False)
    began, spent, failed = time.monotonic(), 0.0, []
    for number, job in enumerate(waiting):
        pace = (time.monotonic() - began) / 60 / spent if spent else 1.0
        left = pace * sum(job.minutes for job in waiting[number:])
        console.print(
            f"{number + 1} of {len(waiting)}: {job.sentence}; about {_time(pace * job.minutes)},"
            f" all about {_time(left)}"
        )
        failed.append(attempt(job, bench, store))
        spent += job.minutes
    return [sentence for sentence in failed if sentence]


def _time(minutes: float) -> str:
    return f"{minutes / 60:.1f} h" if minutes >= 90 else f"{minutes:.1f} min"
