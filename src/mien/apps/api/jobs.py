"""Videos that wait, are read one after the other, and whose results are kept for a while."""

from __future__ import annotations

import atexit
import contextlib
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

from mien.apps.api.counters import Counters
from mien.apps.api.failures import told
from mien.apps.api.job import CancelledError, Job, Status
from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import ServerSettings
from mien.apps.api.video_results import read_video

FETCH = 10.0
"""Seconds that a server that is closing leaves for fetching a result, and each further one."""

SWEEP = 10.0
"""Seconds between two looks for results that were kept long enough."""

NO_ROOM = 60
"""Seconds after which a client may try again where there was no room on the disk."""

NO_VIDEO = "There is no such video; results are kept for a while only, and until they are deleted."


class Jobs:
    """Reads videos in a thread, one after the other.

    Whoever runs the application without its lifespan does not close them: they are at the end of
    the process.

    Args:
        settings: How many may wait, how long results are kept.
        counters: Where the faces of videos are counted.

    Attributes:
        root: The folder of all uploads and results.
    """

    def __init__(self, settings: ServerSettings, counters: Counters) -> None:
        self._settings = settings
        self._counters = counters
        self._jobs: dict[str, Job] = {}
        self._arriving = 0
        self._draining = False
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.root = _new_root()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=target, name="videos", daemon=True)
            for target in (self._work, self._sweep)
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self.close)

    @contextmanager
    def upload(self) -> Iterator[Path]:
        """Give a new folder for an upload; it is deleted if the block ends with an error.

        Raises:
            RefusedError: With 429, if too many videos arrive, wait or are read; with 503, if the
                server is closing; with 507, if the disk does not take the upload.
        """
        with self._arrival():
            try:
                with self._folder() as folder:
                    yield folder
            except OSError as error:
                sentence = f"The video cannot be stored: {told(error, 'storing an upload')}"
                raise RefusedError(507, sentence, NO_ROOM) from error

    def add(self, job: Job) -> None:
        """Let a video wait for its turn."""
        with self._lock:
            self._jobs[job.id] = job
        self._waiting.put(job)

    def __getitem__(self, id_: str) -> Job:
        with self._lock:
            job = self._jobs.get(id_)
        if job is None or self._is_old(job):
            raise RefusedError(404, NO_VIDEO)
        return job

    def cancel(self, id_: str) -> Job:
        """Stop reading a video, and forget it and its results.

        Raises:
            RefusedError: With 404, if there is no such video, or not any more.
        """
        job = self[id_]
        with self._lock:
            if self._jobs.pop(id_, None) is None:
                raise RefusedError(404, NO_VIDEO)
            running = job.status == "running"
            job.end("deleted" if job.has_ended else "cancelled")
        if not running:  # a running one is deleted by its thread
            shutil.rmtree(job.folder, ignore_errors=True)
        return job

    def forget_old(self) -> None:
        """Delete results that were kept long enough, and the oldest of those that are too many."""
        with self._lock:
            old = [job for job in self._jobs.values() if self._is_old(job)]
            old += (job for job in self._beyond_room() if job not in old)
            for job in old:
                del self._jobs[job.id]
        for job in old:
            shutil.rmtree(job.folder, ignore_errors=True)

    def drain(self) -> None:
        """Take no more videos."""
        self._draining = True

    def counts(self) -> dict[Status, int]:
        """Return how many videos there are of each status that one can be found in."""
        kept: tuple[Status, ...] = ("waiting", "running", "done", "failed")
        with self._lock:
            found = [job.status for job in self._jobs.values()]
        return {status: found.count(status) for status in kept}

    @property
    def unfinished(self) -> int:
        """How many videos arrive, wait or are read."""
        with self._lock:
            return self._unfinished()

    @property
    def busy(self) -> bool:
        """Whether a video arrives, waits, is read, or was read a moment ago."""
        with self._lock:
            awaited = any(job.is_awaited(FETCH) for job in self._jobs.values())
            return bool(self._arriving) or awaited

    def close(self) -> None:
        """Cancel what is not finished, delete everything and end; again: nothing."""
        with self._lock:
            for job in self._jobs.values():
                if not job.has_ended:
                    job.end("cancelled")
        self._waiting.put(None)
        self._closing.set()
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self.root, ignore_errors=True)
        atexit.unregister(self.close)

    @contextmanager
    def _arrival(self) -> Iterator[None]:
        with self._lock:
            self._check_room()
            self._arriving += 1
        try:
            yield
        finally:
            with self._lock:
                self._arriving -= 1

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        with self._lock:
            if not self.root.is_dir():  # something that cleans up took it
                self.root = _new_root()
        folder = Path(tempfile.mkdtemp(dir=self.root))
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _check_room(self) -> None:
        if self._draining:
            raise RefusedError(503, "The server is closing and takes no more videos.", 10)
        if self._unfinished() >= self._settings.jobs:
            raise RefusedError(429, "Too many videos are waiting: try again later.", 10)

    def _unfinished(self) -> int:
        return self._arriving + sum(not job.has_ended for job in self._jobs.values())

    def _is_old(self, job: Job) -> bool:
        return job.has_ended and time.monotonic() - job.ended > self._settings.kept_seconds

    def _beyond_room(self) -> list[Job]:
        ended = [job for job in self._jobs.values() if job.has_ended]
        newest = sorted(ended, key=lambda job: -job.ended)
        taken = accumulate(job.kept for job in newest)
        most = self._settings.kept_bytes
        return [job for job, total in zip(newest, taken) if total > most and job is not newest[0]]

    def _sweep(self) -> None:
        while not self._closing.wait(min(SWEEP, self._settings.kept_seconds)):
            self.forget_old()

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            with self._lock:
                wanted = job.status == "waiting"
                job.status = "running" if wanted else job.status
            if wanted:
                self._finish(job, *self._read(job))

    def _read(self, job: Job) -> tuple[Status, str]:
        try:
            return "done", read_video(job, self._settings)
        except CancelledError:
            return "cancelled", ""
        except Exception as error:  # whatever it is, the next video must be read
            return "failed", job.named(told(error, "reading a video"))

    def _finish(self, job: Job, status: Status, message: str) -> None:
        with contextlib.suppress(OSError):
            job.video.unlink()
            job.weigh()
        self._counters.faces.inc(job.faces)
        with self._lock:
            if not job.has_ended:  # else it was cancelled meanwhile
                job.message = message
                job.end(status)
        if job.status != "done":
            shutil.rmtree(job.folder, ignore_errors=True)
        self.forget_old()


def _new_root() -> Path:
    return Path(tempfile.mkdtemp(prefix="mien-videos-"))
