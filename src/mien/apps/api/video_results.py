"""What is made of a video: tables, a marked copy, a timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from mien.apps.api.failures import told
from mien.apps.api.job import RESULTS, CancelledError, Job
from mien.apps.api.settings import ServerSettings
from mien.apps.api.video_limits import VideoLimits
from mien.errors import VideoError
from mien.inference.sinks import Row
from mien.inference.video.ahead import wanted_if
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
    """Read a job's video, and leave its results in its folder.

    The rows are always there, the timeline and the marked copy if they can be made.

    Returns:
        What could not be read of it, and what could not be made; empty if all could.

    Raises:
        CancelledError: If the job was cancelled meanwhile.
        MienError: If no frame can be read.
        OSError: If the rows cannot be written.
    """
    beside, limits = Beside(), VideoLimits(settings)
    reader = VideoReader(job.analyzer, most_pixels=limits.most_pixels)
    run = reader.settings([job.video])
    with VideoJournal.create(job.folder / "journal", run) as journal:
        stopped = _follow(job, reader, journal, limits)
        whole = VideoOutcome.of(journal, job.video, beside, run.expressions)
        if not job.frames:
            raise VideoError(whole.message)
        for form in ("csv", "jsonl"):
            rows = _rows(job, beside.rows(journal.records, run.expressions))
            TABLES[form](rows, beside.columns(run.expressions), job.folder / RESULTS[form].file)
        outcome = replace(whole, message=job.named(whole.message))
        report = VideoReport(outcome, limits.most_pixels, job.name)
        problems = [
            outcome.message,
            _without("timeline", job, lambda: _draw(job, report, limits)),
            _without("marked copy", job, lambda: _mark(job, journal, limits, stopped)),
        ]
        journal.discard()
    job.progress = 1.0
    return " ".join(filter(None, problems))


def _follow(job: Job, reader: VideoReader, journal: VideoJournal, limits: VideoLimits) -> bool:
    """Read what may be read of a video; returns whether there is more."""
    end, first = Clip(job.video, reader.most_pixels).end, None
    for read in reader.read_into(journal, job.video):
        job.check()
        first = read.place.time if first is None else first
        seconds = max(0.0, read.place.time - first)
        whole = end - first if end is not None else 0.0
        job.frames += 1
        job.faces += len(read.readings)
        job.seconds_read = seconds
        job.progress = READING * min(1.0, seconds / whole) if whole > 0 else 0.0
        try:
            limits.check_read(read, seconds)
        except VideoError as error:
            journal.end(job.video, [f"{job.name} is read to {seconds:.2f} s only. {error}"])
            return True
    return False


def _rows(job: Job, rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        message = row["message"] and job.named(str(row["message"]))
        yield {**row, "source": job.name, "message": message}


def _without(result: str, job: Job, make: Callable[[], None]) -> str:
    """Make what the other results can do without; returns why it could not be made."""
    try:
        make()
    except CancelledError:
        raise
    except Exception as error:  # whatever it is, the rows have been read
        return f"There is no {result}: {job.named(told(error, f'making a {result}'))}"
    return ""


def _check(job: Job, limits: VideoLimits) -> None:
    job.check()
    limits.check_time()


def _draw(job: Job, report: VideoReport, limits: VideoLimits) -> None:
    # Between two key frames, much may have to be decoded for each frame that is shown.
    with wanted_if(lambda: _check(job, limits)):
        report.write(job.folder / "timeline")


def _mark(job: Job, journal: VideoJournal, limits: VideoLimits, stopped: bool) -> None:
    if stopped:
        raise VideoError(f"{job.name} is not read to its end.")
    records = frames_of(journal, job.video)
    path = job.folder / RESULTS["video"].file
    clip = Clip(job.video, limits.most_pixels)
    frames = write_annotated(clip, records, job.analyzer.labels, path)
    for number, _ in enumerate(frames, start=1):
        _check(job, limits)
        limits.check_copy(path)
        job.progress = READING + (1 - READING) * min(1.0, number / job.frames)
