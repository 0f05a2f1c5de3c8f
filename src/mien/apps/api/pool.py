"""Threads that read pictures; those that wait together are read together."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from mien.apps.api.decoder import Decoder
from mien.apps.api.failures import emptied
from mien.apps.api.received import Received
from mien.apps.api.refusals import RefusedError
from mien.inference.analyzer import Analyzer
from mien.inference.detectors import Detector
from mien.inference.face import Reading
from mien.inference.together import FoundFaces, classify_together, find_faces

TOGETHER = 8
"""Pictures that one thread takes at once; more only make the first of them wait."""


@dataclass(frozen=True)
class PictureReadings:
    """What was read from a picture.

    Args:
        size: Its width and height in pixels.
        readings: Of its faces, the largest first.
    """

    size: tuple[int, int]
    readings: list[Reading]


@dataclass
class Task:
    """A picture that is to be read.

    Args:
        analyzer: Reads it.
        picture: What is read; it gives its bytes away when it is decoded.
        result: What was read, or what went wrong.
    """

    analyzer: Analyzer
    picture: Received
    result: Future[PictureReadings] = field(default_factory=Future)

    def give_up(self) -> None:
        """Let nobody read it who has not begun to; nothing happens to one that was read."""
        self.result.cancel()
        self.picture.take()


class PicturePool:
    """Reads pictures in threads of its own, with a bounded queue before them.

    Args:
        workers: How many threads.
        waiting: How many pictures may wait.
        decoder: Decodes them.
    """

    def __init__(self, workers: int, waiting: int, decoder: Decoder) -> None:
        self._workers = workers
        self._decoder = decoder
        self._room = threading.Semaphore(waiting)
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"pictures-{n}", daemon=True)
            for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        return self._waiting.qsize()

    def add(self, tasks: Sequence[Task]) -> None:
        """Let pictures wait for their turn.

        Raises:
            RefusedError: With 429, if there is not room for all of them.
        """
        taken = 0
        while taken < len(tasks) and self._room.acquire(blocking=False):
            taken += 1
        if taken < len(tasks):
            for _ in range(taken):
                self._room.release()
            raise RefusedError(429, "Too many pictures are waiting: try again soon.", 1)
        for task in tasks:
            self._waiting.put(task)

    def close(self) -> None:
        """Read what waits, then end."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        detectors: dict[Analyzer, Detector] = {}
        while (first := self._waiting.get()) is not None:
            tasks = self._with_others(first)
            for analyzer in {task.analyzer: None for task in tasks}:
                own = [task for task in tasks if task.analyzer is analyzer]
                self._read(analyzer, detectors, own)

    def _with_others(self, first: Task) -> list[Task]:
        """Return a picture and a fair share of those that wait behind it."""
        tasks = [first]
        share = min(TOGETHER, 1 + self._waiting.qsize() // self._workers)
        while len(tasks) < share:
            try:
                task = self._waiting.get_nowait()
            except queue.Empty:
                break
            if task is None:  # the end is for another round
                self._waiting.put(None)
                break
            tasks.append(task)
        self._room.release(len(tasks))
        return tasks

    def _read(
        self, analyzer: Analyzer, detectors: dict[Analyzer, Detector], tasks: Sequence[Task]
    ) -> None:
        wanted = [task for task in tasks if task.result.set_running_or_notify_cancel()]
        found = {}
        for number, task in enumerate(wanted):
            try:
                found[number] = self._found(task, detectors)
            except Exception as error:  # whatever it is, the picture's client must hear of it
                task.result.set_exception(emptied(error))
        try:
            readings = classify_together(analyzer, list(found.values()))
        except Exception as error:
            for number in found:
                wanted[number].result.set_exception(emptied(error))
            return
        for (number, one), own in zip(found.items(), readings):
            wanted[number].result.set_result(PictureReadings(one.size, own))

    def _found(self, task: Task, detectors: dict[Analyzer, Detector]) -> FoundFaces:
        if task.analyzer not in detectors:
            detectors[task.analyzer] = task.analyzer.new_detector()
        with self._decoder.decoded(task.picture) as picture:
            return find_faces(task.analyzer, detectors[task.analyzer], picture)
