"""What is made of a video: tables, a marked copy, a timeline."""

from __future__ import annotations

from dataclasses import replace

from mien.apps.api.job import RESULTS, Job
from mien.apps.api.settings import ServerSettings
from mien.errors import VideoError
from mien.inference.video.annotated import write_annotated
from mien.inference.video.clip import Clip
from mien.inference.video.journal import VideoJournal
from mien.inference.video.outcome import VideoOutcome, frames_of
from mien.inference.video.report import VideoReport
from mien.inference.video.run import VideoReader
from mien.inference.video.table import TABLES, Beside

READING = 0.8
"""Share of the time that reading takes, for the progress; the rest is the marked copy's."""


def read_video(job: Job, settings: ServerSettings) -> str:
    """Read a job's video, and leave every result in its folder.

    Returns:
        What could not be read of it; empty if all could.

    Raises:
        CancelledError: If the job was cancelled meanwhile.
        MienError: If the video cannot be read, or is too long.
    """
    reader, beside = VideoReader(job.analyzer), Beside()
    run = reader.settings([job.video])
    with VideoJournal.create(job.folder / "journal", run) as journal:
        _follow(job, reader, journal, settings)
        whole = VideoOutcome.of(journal, job.video, beside, run.expressions)
        outcome = replace(whole, message=whole.message.replace(str(job.video), job.name))
        for form in ("csv", "jsonl"):
            rows = beside.rows(journal.records, run.expressions)
            named = ({**row, "source": job.name} for row in rows)
            TABLES[form](named, beside.columns(run.expressions), job.folder / RESULTS[form][0])
        VideoReport(outcome).write(job.folder / "timeline")
        _mark(job, journal)
    return outcome.message


def check_length(seconds: float | None, settings: ServerSettings) -> None:
    """Check how long a video is; None where it does not say.

    Raises:
        VideoError: If it is too long.
    """
    if seconds is not None and seconds > settings.video_seconds:
        raise VideoError(
            f"A video may be {settings.video_seconds:g} seconds long. Got {seconds:.0f} or more."
        )


def _follow(job: Job, reader: VideoReader, journal: VideoJournal, settings: ServerSettings) -> None:
    whole = Clip(job.video).end
    for read in reader.read_into(journal, job.video):
        job.check()
        check_length(read.place.time, settings)
        job.frames += 1
        job.faces += len(read.readings)
        job.seconds_read = read.place.time
        job.progress = READING * min(1.0, read.place.time / whole) if whole else 0.0


def _mark(job: Job, journal: VideoJournal) -> None:
    records = frames_of(journal, job.video)
    path = job.folder / RESULTS["video"][0]
    frames = write_annotated(Clip(job.video), records, job.analyzer.labels, path)
    for number, _ in enumerate(frames, start=1):
        job.check()
        job.progress = READING + (1 - READING) * min(1.0, number / max(1, job.frames))
    job.progress = 1.0
