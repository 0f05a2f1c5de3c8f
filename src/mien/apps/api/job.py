"""A video that is to be read, and how far it is."""

from __future__ import annotations

import os
import re
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple
from urllib.parse import quote

from mien.apps.api.refusals import RefusedError
from mien.inference.analyzer import Analyzer

Status = Literal["waiting", "running", "done", "failed", "cancelled", "deleted"]


class Result(NamedTuple):
    """What can be fetched of a video.

    Args:
        file: Where it is in the job's folder.
        kind: Its content type.
        ending: What follows the video's name in that of the download.
    """

    file: str
    kind: str
    ending: str


RESULTS = {
    "csv": Result("readings.csv", "text/csv", ".csv"),
    "jsonl": Result("readings.jsonl", "application/x-ndjson", ".jsonl"),
    "video": Result("marked.mp4", "video/mp4", "-marked.mp4"),
    "timeline": Result("timeline/index.html", "text/html", "-timeline.html"),
}
"""By format."""


FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
"""What no system takes in the name of a file, or takes for a path."""

LONGEST_STEM = 60
"""Of a download's name: in any letters it fits the 255 bytes that most systems allow."""


class CancelledError(Exception):
    """The client does not want the video any more."""


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
        progress: Share of the work that is done, 0 to 1.
        frames: Frames that were read.
        faces: Faces in them.
        seconds_read: The time from the first frame to the last one read, in seconds.
        message: What went wrong.
        ended: When it ended, by the monotonic clock.
        asked: When a result was last fetched, by the same clock.
        fetched: The formats that were fetched.
        kept: Bytes of its results, once it ended.
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
    asked: float = 0.0
    fetched: set[str] = field(default_factory=set)
    kept: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status not in ("waiting", "running")

    def is_awaited(self, seconds: float) -> bool:
        """Return whether it goes on, or somebody may still come for its results.

        Args:
            seconds: How long somebody may take, from its end or from one result to the next.
        """
        if self.status != "done":
            return not self.has_ended
        left = time.monotonic() - max(self.ended, self.asked) < seconds
        return left and self.fetched != set(RESULTS)

    def named(self, sentence: str) -> str:
        """Return a sentence that says the client's name of the video, and no path of the server."""
        return sentence.replace(str(self.video), self.name).replace(f"{self.folder}{os.sep}", "")

    def end(self, status: Status) -> None:
        """Say how it ended."""
        self.status, self.ended = status, time.monotonic()

    def weigh(self) -> None:
        """Take note of how much its results take on the disk."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        self.kept = sum(path.stat().st_size for path in files)

    def check(self) -> None:
        """Go on only if the video is still wanted.

        Raises:
            CancelledError: If it is not.
        """
        if self.status == "cancelled":
            raise CancelledError

    def disposition(self, form: str) -> str:
        """Return the header that says what a result is called where it is saved.

        Old clients take the name that holds no more than A to Z, 0 to 9, ._-; the others the
        upload's own, where that holds more (RFC 6266).
        """
        ending = RESULTS[form].ending
        plain = f"{self.video.stem}{ending}"
        own = FORBIDDEN.sub("_", self.name).lstrip(".")
        whole = f"{Path(own).stem[-LONGEST_STEM:] or 'video'}{ending}"
        header = f'attachment; filename="{plain}"'
        return header if whole.isascii() else f"{header}; filename*=UTF-8''{quote(whole, safe='')}"

    def result(self, form: str) -> BinaryIO:
        """Open the file of a result; it can be read to its end even if it is deleted meanwhile.

        Raises:
            RefusedError: If the video was not read to its end, or this could not be made of it.
        """
        try:
            if self.status == "done":
                file = (self.folder / RESULTS[form].file).open("rb")
                self.asked = time.monotonic()
                self.fetched.add(form)
                return file
        except FileNotFoundError:  # or it was cancelled just now
            if self.status == "done":
                raise RefusedError(409, self.message or "The results are gone.") from None
        raise RefusedError(409, f"The video has no results: it is {self.status}.")
