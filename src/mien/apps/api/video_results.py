"""What is made of a video: tables, a marked copy, a timeline."""

from __future__ import annotations

from mien.apps.api.jobs import RESULTS, CancelledError, Job
from mien.apps.api.settings import ServerSettings
from mien.inference.video.annotated import write_annotated
from mien.inference.video.clip import Clip
from mien.inference.video.journal import VideoJournal
from mien.inference.video.outcome import VideoOutcome, frames_of
from mien.inference.video.report import VideoReport
from mien.inference.video.run import VideoReader
from mien.inference.video.table import TABLES, Beside

READING = 0.8
"""Share of the time that reading takes, for the progress; the rest is the marked copy's."""


def read_video(job: Job, settings: ServerSettings) -> None:
    """Read a job's video, and leave every result in its folder.

    Raises:
        CancelledError: If the job was cancelled meanwhile.
        MienError: If the video cannot be read, or is too long.
    """
    reader, beside = VideoReader(job.analyzer), Beside()
    run = reader.settings([job.video])
    with VideoJournal.create(job.folder / "journal", run) as journal:
        _follow(job, reader, journal, settings)
        outcome = VideoOutcome.of(journal, job.video, beside, run.expressions)
        job.message = outcome.message.replace(str(job.video), job.name)
        for form in ("csv", "jsonl"):
            rows = beside.rows(journal.records, run.expressions)
            named = ({**row, "source": job.name} for row in rows)
            TABLES[form](named, beside.columns(run.expressions), job.folder / RESULTS[form][0])
        VideoReport(outcome).write(job.folder / "timeline")
        _mark(job, journal)


def _follow(job: Job, reader: VideoReader, journal: VideoJournal, settings: ServerSettings) -> None:
    whole = Clip(job.video).end
    if whole is not None and whole > settings.video_seconds:
        raise _too_long(whole, settings)
    for read in reader.read_into(journal, job.video):
        _stop_if_cancelled(job)
        job.frames += 1
        job.faces += len(read.readings)
        job.seconds_read = read.place.time
        if job.seconds_read > settings.video_seconds:
            raise _too_long(job.seconds_read, settings)
        job.progress = READING * min(1.0, read.place.time / whole) if whole else 0.0


def _mark(job: Job, journal: VideoJournal) -> None:
    records = frames_of(journal, job.video)
    path = job.folder / RESULTS["video"][0]
    frames = write_annotated(Clip(job.video), records, job.analyzer.labels, path)
    for number, _ in enumerate(frames, start=1):
        _stop_if_cancelled(job)
        job.progress = READING + (1 - READING) * min(1.0, number / max(1, job.frames))
    job.progress = 1.0


def _stop_if_cancelled(job: Job) -> None:
    if job.status == "cancelled":
        raise CancelledError


def _too_long(seconds: float, settings: ServerSettings) -> Exception:
    from mien.errors import VideoError

    return VideoError(
        f"A video may be {settings.video_seconds:g} seconds long. Got {seconds:.0f} or more."
    )
