"""Preparing pictures in several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

import cv2

from mien.data.pictures import Entry
from mien.data.prepare.outcome import Outcome
from mien.data.prepare.picture import Preparer
from mien.data.prepare.settings import Preparation
from mien.errors import MienError
from mien.processes import follow_parent

CHUNK = 4
"""Pictures that a process is handed at once: few, so that an interruption loses little."""

_preparer: Preparer
"""A worker process's own; detectors cannot be sent from one process to another."""


def prepare_all(
    entries: Sequence[Entry], settings: Preparation, jobs: int = 1
) -> Iterator[Outcome]:
    """Prepare pictures in their order; the result does not depend on the number of processes.

    Args:
        entries: The pictures.
        settings: What is done.
        jobs: How many processes work; 1 works in this one.

    Raises:
        DataError: If that cannot be done.
        ModelError: If the detector's weights are missing; before any process is started.
        MienError: If a process was killed, as happens when memory runs out.
    """
    preparer = Preparer(settings)
    if min(jobs, len(entries)) <= 1:
        with _one_thread():
            yield from map(preparer.prepare, entries)
        return
    with _pool(settings, min(jobs, len(entries))) as pool:
        try:
            yield from pool.map(_prepare, entries, chunksize=CHUNK)
        except BrokenProcessPool as error:
            raise MienError(
                "A process was killed, perhaps for want of memory: go on with --resume and fewer"
                " --jobs."
            ) from error


@contextmanager
def _pool(settings: Preparation, jobs: int) -> Iterator[ProcessPoolExecutor]:
    # A fork of a process with OpenCV's threads can hang.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start, (settings,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let OpenCV work as it does in the other processes."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _start(settings: Preparation) -> None:
    global _preparer
    follow_parent()
    cv2.setNumThreads(1)
    _preparer = Preparer(settings)


def _prepare(entry: Entry) -> Outcome:
    return _preparer.prepare(entry)
