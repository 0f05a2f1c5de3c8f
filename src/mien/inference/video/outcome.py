"""What was read from each video of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mien.inference.lines import Record
from mien.inference.video.journal import VideoJournal, VideoSettings
from mien.inference.video.summary import PersonSummary
from mien.inference.video.table import Beside
from mien.inference.video.timeline import Timeline, timelines


@dataclass(frozen=True)
class VideoOutcome:
    """What was read from one video.

    Args:
        path: The video.
        frames: How many frames were read.
        message: What is wrong with the video; empty for nothing.
        timelines: Its persons, smoothed if that was asked for.
        beside: What stands beside the raw probabilities.
        settings: What the rows depend on; None if that is not known.
        faceless: In how many of the frames read no face was found.
        span: When the first of them is shown and what was read ends, in seconds; None if none was.
    """

    path: Path
    frames: int
    message: str
    timelines: list[Timeline]
    beside: Beside = field(default_factory=Beside)
    settings: VideoSettings | None = None
    faceless: int = 0
    span: tuple[float, float] | None = None

    @classmethod
    def of(
        cls, journal: VideoJournal, path: Path, beside: Beside, expressions: tuple[str, ...]
    ) -> VideoOutcome:
        """Gather what a journal holds of a video."""
        people = list(map(beside.shown, timelines(journal.records_of(path), expressions)))
        return cls(
            path,
            journal.frames(path),
            journal.message(path),
            people,
            beside,
            journal.settings(),
            journal.faceless(path),
            journal.span(path),
        )

    @property
    def share_no_face(self) -> float | None:
        """The share of the frames read in which no face was found; None if none was read."""
        return self.faceless / self.frames if self.frames else None

    @cached_property
    def persons(self) -> list[PersonSummary]:
        """What each person showed."""
        return [PersonSummary.of(t, baseline=self.beside.baseline) for t in self.timelines]


def frames_of(journal: VideoJournal, path: Path) -> Iterator[Record]:
    """Give the records of a video's frames, in order."""
    return (record for record in journal.records_of(path) if "ended" not in record)
