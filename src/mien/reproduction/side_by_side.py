"""Jobs side by side, each in a process of its own: for many cores, or an idle GPU."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path

import torch

from mien.errors import MienError
from mien.processes import follow_parent, usable_cpus
from mien.reproduction.attempt import attempt, failure
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.reproduction.jobs_bar import JobsBar
from mien.reproduction.library import Library
from mien.reproduction.store import Store

PAUSE = 1.0
"""Seconds between two movements of the bars."""

PATIENCE = 20.0
"""Seconds that processes get to end by themselves: a batch of a wide network takes a while."""

ENDED = 128 + signal.SIGTERM
"""Exit code of a process that was asked to end."""


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
                # Children inherit that they ignore interruptions, which are the parent's.
                with _uninterrupted():
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
        with _uninterrupted():
            for running in self._running:
                running.end()
            deadline = time.monotonic() + PATIENCE
            for running in self._running:
                running.await_end(deadline)


class _Running:
    """A job in its process."""

    def __init__(self, job: Job, bench: Bench, store: Store, threads: int) -> None:
        # A fork of a process with PyTorch's threads can hang.
        context = get_context("spawn")
        self.job = job
        self._answer, answer = context.Pipe(duplex=False)
        given = (job, bench.library.paths, bench.runs, store, threads, answer)
        self._process: SpawnProcess = context.Process(target=_work, args=given)
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
        code = self._process.exitcode
        killed = "; the memory may not suffice for so many at once" if code == -9 else ""
        return failure(self.job, f"its process ended with code {code}{killed}.")

    def end(self) -> None:
        """Ask the process to end."""
        self._process.terminate()

    def await_end(self, deadline: float) -> None:
        """Wait until the process has ended; kill it after the deadline, a monotonic time."""
        self._process.join(max(0.0, deadline - time.monotonic()))
        self._process.kill()
        self._process.join()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let interruptions pass, so that nothing is left half done."""
    if threading.current_thread() is not threading.main_thread():  # which alone is interrupted
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _work(
    job: Job,
    paths: tuple[Path, ...],
    runs: Path,
    store: Store,
    threads: int,
    answer: connection.Connection,
) -> None:
    """Run a job in this process and send its sentence."""
    follow_parent()
    # An ordinary exit, so that files that are being written are cleared away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))
    torch.set_num_threads(threads)
    try:
        answer.send(_outcome(job, paths, runs, store))
    except KeyboardInterrupt:  # what a training makes of it
        sys.exit(ENDED)


def _outcome(job: Job, paths: tuple[Path, ...], runs: Path, store: Store) -> str:
    try:
        library = Library(paths)
    except (MienError, OSError) as error:
        return failure(job, str(error))
    return attempt(job, Bench(library, runs, progress=False), store)
