"""Jobs side by side, each in a process of its own: for many cores, or an idle GPU."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path

import torch

from mien.processes import follow_parent, usable_cpus
from mien.reproduction.attempt import attempt, failure
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.reproduction.jobs_bar import JobsBar
from mien.reproduction.library import Library
from mien.reproduction.store import Store

PAUSE = 1.0
"""Seconds between two movements of the bars."""


class SideBySide:
    """Runs several jobs at once.

    A process is started for each job, so that its memory is free afterwards and a job that is
    killed, for want of memory say, takes no other with it. They share the processors alike.

    Args:
        bench: Where jobs run; each process reads the datasets anew.
        store: Where results go.
        at_once: How many jobs run at the same time.
    """

    def __init__(self, bench: Bench, store: Store, at_once: int) -> None:
        self._bench, self._store, self._at_once = bench, store, at_once
        self._threads = max(1, usable_cpus() // at_once)
        self._running: list[_Running] = []
        self._failed: list[str] = []

    def run(self, jobs: Sequence[Job]) -> list[str]:
        """Run all jobs, an average after its members; return a sentence for each that failed."""
        waiting = list(jobs)
        with JobsBar(jobs, self._bench) as bar:
            try:
                while waiting or self._running:
                    self._start_next(waiting, bar)
                    self._end_finished(bar)
            finally:
                self._stop()
        return self._failed

    def _start_next(self, waiting: list[Job], bar: JobsBar) -> None:
        for job in list(waiting):
            if len(self._running) == self._at_once:
                return
            open_keys = {other.key for other in (*waiting, *(r.job for r in self._running))}
            if open_keys.isdisjoint(member.key for member in job.members):
                waiting.remove(job)
                self._running.append(_Running(job, self._bench, self._store, self._threads))
                bar.started(job)

    def _end_finished(self, bar: JobsBar) -> None:
        connection.wait([running.sentinel for running in self._running], PAUSE)
        for running in [running for running in self._running if running.over]:
            self._running.remove(running)
            sentence = running.sentence()
            self._failed += [sentence] if sentence else []
            bar.ended(running.job, sentence)
        bar.moved([running.job for running in self._running])

    def _stop(self) -> None:
        """End what still runs: it goes on after its last whole epoch another time."""
        for running in self._running:
            running.stop()


class _Running:
    """A job in its process."""

    def __init__(self, job: Job, bench: Bench, store: Store, threads: int) -> None:
        # A fork of a process with PyTorch's threads can hang.
        context = get_context("spawn")
        self.job = job
        self._answer, answer = context.Pipe(duplex=False)
        given = (job, bench.library.paths, bench.runs, store, threads, answer)
        self._process: SpawnProcess = context.Process(target=_attempt, args=given)
        self._process.start()
        answer.close()

    @property
    def sentinel(self) -> int:
        """What becomes ready when the process ends."""
        return self._process.sentinel

    @property
    def over(self) -> bool:
        """Whether the process has ended."""
        return not self._process.is_alive()

    def sentence(self) -> str:
        """Return why the job failed, "" if it did not."""
        self._process.join()
        if self._answer.poll():
            try:
                return str(self._answer.recv())
            except EOFError:
                pass
        reason = f"its process ended with code {self._process.exitcode}"
        return failure(self.job, f"{reason}; the memory may not suffice for so many at once.")

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _attempt(
    job: Job,
    paths: tuple[Path, ...],
    runs: Path,
    store: Store,
    threads: int,
    answer: connection.Connection,
) -> None:
    """Run a job in this process and send its sentence."""
    follow_parent()
    torch.set_num_threads(threads)
    answer.send(attempt(job, Bench(Library(paths), runs, progress=False), store))
