"""Videos that wait, are read one after the other, and whose results are kept for a while."""

from __future__ import annotations

import contextlib
import logging
import queue
import shutil
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import ServerSettings
from mien.errors import MienError
from mien.inference.analyzer import Analyzer

log = logging.getLogger("mien.server")

Status = Literal["waiting", "running", "done", "failed", "cancelled"]

ENDED: tuple[Status, ...] = ("done", "failed", "cancelled")

RESULTS = {
    "csv": ("readings.csv", "text/csv"),
    "jsonl": ("readings.jsonl", "application/x-ndjson"),
    "video": ("annotated.mp4", "video/mp4"),
    "timeline": ("timeline/index.html", "text/html"),
}
"""By format, the file in a job's folder and its content type."""


@dataclass
class Job:
    """A video and how far it is.

    Args:
        analyzer: Reads it.
        folder: A folder of its own, which holds the upload until it was read, then the results.
        video: The upload.
        name: What the client calls it.
        id: Its number in the API; not to be guessed.
        status: How it is.
        progress: Share of the video that was read, 0 to 1.
        frames: Frames that were read.
        faces: Faces in them.
        seconds_read: The time of the last frame, in seconds.
        message: What went wrong.
        ended: When it ended, by the monotonic clock.
    """

    analyzer: Analyzer
    folder: Path
    video: Path
    name: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: Status = "waiting"
    progress: float = 0.0
    frames: int = 0
    faces: int = 0
    seconds_read: float = 0.0
    message: str = ""
    ended: float = 0.0

    def result(self, form: str) -> Path:
        """Return the file of a result.

        Raises:
            RefusedError: If the video was not read to its end, or there is no such file.
        """
        if self.status != "done":
            raise RefusedError(409, f"The video has no results: it is {self.status}.")
        path = self.folder / RESULTS[form][0]
        if not path.exists():
            raise RefusedError(404, f"The video has no result {form!r}.")
        return path


class CancelledError(Exception):
    """The client does not want the video any more."""


class Jobs:
    """Reads videos in a thread, one after the other.

    Args:
        settings: How many may wait, how long results are kept.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._root = Path(tempfile.mkdtemp(prefix="mien-videos-"))
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="videos")
        self._thread.start()

    def folder(self) -> Path:
        """Return a new folder for an upload, if one may wait.

        Raises:
            RefusedError: With 429, if too many videos wait.
        """
        self.forget_old()
        with self._lock:
            if sum(job.status not in ENDED for job in self._jobs.values()) >= self._settings.jobs:
                raise RefusedError(429, "Too many videos are waiting: try again later.", 10)
        return Path(tempfile.mkdtemp(dir=self._root))

    def add(self, job: Job) -> None:
        """Let a video wait for its turn."""
        with self._lock:
            self._jobs[job.id] = job
        self._waiting.put(job)

    def __getitem__(self, id_: str) -> Job:
        self.forget_old()
        with self._lock:
            if id_ not in self._jobs:
                raise RefusedError(
                    404, "There is no such video; results are kept for a while only."
                )
            return self._jobs[id_]

    def cancel(self, id_: str) -> Job:
        """Stop reading a video, and delete it and its results."""
        job = self[id_]
        with self._lock:
            running = job.status == "running"
            job.status, job.ended = "cancelled", time.monotonic()
        if not running:  # a running one is deleted by its thread
            shutil.rmtree(job.folder, ignore_errors=True)
        return job

    def forget_old(self) -> None:
        """Delete results that were kept long enough."""
        now = time.monotonic()
        with self._lock:
            old = [
                job
                for job in self._jobs.values()
                if job.status in ENDED and now - job.ended > self._settings.kept_seconds
            ]
            for job in old:
                del self._jobs[job.id]
        for job in old:
            shutil.rmtree(job.folder, ignore_errors=True)

    def close(self) -> None:
        """Read what waits, then delete everything and end."""
        self._waiting.put(None)
        self._thread.join()
        shutil.rmtree(self._root, ignore_errors=True)

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            with self._lock:
                if job.status != "waiting":
                    continue
                job.status = "running"
            self._finish(job, *self._read(job))

    def _read(self, job: Job) -> tuple[Status, str]:
        from mien.apps.api.video_results import read_video

        try:
            read_video(job, self._settings)
        except CancelledError:
            return "cancelled", ""
        except MienError as error:
            return "failed", str(error).replace(str(job.video), job.name)
        except Exception as error:  # whatever it is, the next video must be read
            log.error("reading a video failed: %s", type(error).__name__)
            return "failed", "The server failed; its log says more."
        return "done", job.message

    def _finish(self, job: Job, status: Status, message: str) -> None:
        with self._lock:
            if job.status != "cancelled":
                job.status, job.message = status, message
            job.ended = time.monotonic()
        with contextlib.suppress(OSError):
            job.video.unlink()
        if job.status != "done":
            shutil.rmtree(job.folder, ignore_errors=True)
