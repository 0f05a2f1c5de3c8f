"""`mien analyze` for videos: rows, marked copies, reports."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mien.apps.cli import exits
from mien.apps.cli.console import complain, notes, print_file, results, say
from mien.apps.cli.kept import kept, stop_if_kept
from mien.apps.cli.persons import persons_table
from mien.apps.cli.written import Written
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.inference.marked import MarkedCopies
    from mien.inference.own_folder import OwnFolder
    from mien.inference.video.frame import Place
    from mien.inference.video.journal import VideoJournal
    from mien.inference.video.outcome import VideoOutcome
    from mien.inference.video.results import VideoResults
    from mien.inference.video.run import VideoReader
    from mien.inference.video.table import Beside

MOST_ERRORS = 20


@dataclass(frozen=True)
class VideoJob:
    """What is to be read, and what is to be made of it.

    Args:
        paths: The videos, each once.
        reader: Reads them.
        beside: What stands beside the raw probabilities.
        written: What is to be written beside reports.
        report: The folder of the reports; None for none.
        problems: What is wrong with the folders in which they were found.
    """

    paths: Sequence[Path]
    reader: VideoReader
    beside: Beside
    written: Written
    report: Path | None
    problems: Sequence[str] = ()


def analyze_videos(job: VideoJob) -> None:
    """Read videos; write and show what was asked for; exit with the code that says how it went."""
    temporary = tempfile.TemporaryDirectory() if job.written.out is None else nullcontext("")
    with ExitStack() as stack:
        folders = _enter_folders(job, stack)
        name = stack.enter_context(temporary)
        out = job.written.out or Path(name) / f"readings.{job.written.form or 'jsonl'}"
        gathered = _results(job, out)
        try:
            outcomes, problems, whole = _outcomes(job, gathered, folders)
        except (MienError, OSError) as error:
            stop_if_kept(job.written.out, error)
            raise
        if job.written.out is None and job.written.form is not None:
            print_file(out)
        elif any(outcome.frames for outcome in outcomes):
            results.print(persons_table(outcomes))
    if whole and job.written.out:
        say(f"Wrote {job.written.out}")
    for folder in folders:
        if whole and folder.filled:
            say(f"Wrote {folder.path}")
    _finish(outcomes, [*job.problems, *problems], whole)


@dataclass(frozen=True)
class _Folders:
    """The folders of the marked copies and of the reports, where they are wanted."""

    copies: MarkedCopies | None
    report: OwnFolder | None

    def __iter__(self) -> Iterator[OwnFolder]:
        marked = self.copies.folder if self.copies else None
        return filter(None, (marked, self.report))


def _enter_folders(job: VideoJob, stack: ExitStack) -> _Folders:
    """Make the folders of the report and the marked copies before hours go into reading.

    Raises:
        MienError: If one may not or cannot be written; it tells of both.
    """
    from mien.inference.folders import REPORT_MARK
    from mien.inference.own_folder import OwnFolder

    problems: list[str] = []
    report: OwnFolder | None = None
    copies: MarkedCopies | None = None
    with _gathering(problems):
        report = None if job.report is None else OwnFolder(job.report, REPORT_MARK)
    with _gathering(problems):
        copies = _copies(job)
    # Both are looked at before one is made, which may lie in the other.
    folders = _Folders(copies, report)
    for folder in folders:
        with _gathering(problems):
            stack.enter_context(folder)
    if problems:
        raise MienError(" ".join(problems))
    return folders


@contextmanager
def _gathering(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except (MienError, OSError) as error:
        problems.append(str(error))


def _results(job: VideoJob, out: Path) -> VideoResults:
    from mien.inference.video.results import VideoResults

    settings = job.reader.settings(job.paths)
    return VideoResults(out, settings, job.beside, job.written.form, resume=job.written.resume)


def _outcomes(
    job: VideoJob, gathered: VideoResults, folders: _Folders
) -> tuple[list[VideoOutcome], list[str], bool]:
    """Read the videos and write everything.

    Returns:
        What was read, what could not be written beside the rows, and whether all was read.
    """
    from mien.inference.video.outcome import VideoOutcome

    expressions = job.reader.analyzer.labels.expressions
    with gathered:
        journal = gathered.journal
        whole = _read_all(job, journal)
        if not whole and job.written.out:
            _interrupted(job, journal)
        outcomes = [VideoOutcome.of(journal, path, job.beside, expressions) for path in job.paths]
        try:
            problems = _make_all(job, outcomes, journal, folders) if whole else []
        except KeyboardInterrupt:
            _interrupted(job, journal)
    return outcomes, problems, whole


def _interrupted(job: VideoJob, journal: VideoJournal) -> NoReturn:
    done = f"{sum(map(journal.frames, job.paths)):,} frames are done and"
    say(f"Interrupted. {kept(done, journal.path) if job.written.out else ''}".rstrip())
    sys.exit(exits.INTERRUPTED)


def _read_all(job: VideoJob, journal: VideoJournal) -> bool:
    """Read what the journal does not hold yet; return False if the user interrupts."""
    try:
        for path in job.paths:
            places = (read.place for read in job.reader.read_into(journal, path))
            _follow(places, path, f"Reading {path.name}", job.reader.sampling.end)
    except KeyboardInterrupt:
        return False
    return True


def _make_all(
    job: VideoJob,
    outcomes: Sequence[VideoOutcome],
    journal: VideoJournal,
    folders: _Folders,
) -> list[str]:
    """Write reports and marked copies; return what could not be written, for the rows still are."""
    problems: list[str] = []
    read = [outcome for outcome in outcomes if outcome.frames]
    for folder in folders if read else ():
        with _gathering(problems):
            folder.clear(job.paths)
    for outcome in read:
        with _gathering(problems):
            _make(job, outcome, journal, folders)
    if read and folders.report is not None:
        with _gathering(problems):
            _tabulate(job, outcomes, folders.report)
    return problems


def _tabulate(job: VideoJob, outcomes: Sequence[VideoOutcome], report: OwnFolder) -> None:
    from mien.inference.video.flat_tables import TABLES, write_flat_tables

    report.add(report.path / name for name in TABLES)
    write_flat_tables(report.path, outcomes, job.reader.analyzer.labels.expressions)


def _make(job: VideoJob, outcome: VideoOutcome, journal: VideoJournal, folders: _Folders) -> None:
    from mien.inference.marked import below_common
    from mien.inference.video.report import VideoReport

    if folders.report is not None:
        top, report = folders.report.path, VideoReport(outcome)
        folder = top / below_common(job.paths)[outcome.path] if len(job.paths) > 1 else top
        folders.report.add([folder / name for name in report.files])
        report.write(folder)
    if folders.copies is not None:
        folders.copies.folder.add([folders.copies.path(outcome.path)])
        _mark(job, outcome.path, journal, folders.copies)


def _mark(job: VideoJob, path: Path, journal: VideoJournal, copies: MarkedCopies) -> None:
    from mien.inference.video.annotated import write_annotated
    from mien.inference.video.clip import Clip
    from mien.inference.video.outcome import frames_of

    clip, records, labels = Clip(path), frames_of(journal, path), job.reader.analyzer.labels
    frames = write_annotated(clip, records, labels, copies.path(path))
    _follow((frame.place for frame in frames), path, f"Marking {path.name}", None)
    if clip.unheard:
        raise MienError(f"The sound of {path} has an unknown format: its marked copy has none.")


def _follow(places: Iterator[Place], path: Path, what: str, end: float | None) -> None:
    """Go through the frames of a video under a bar of its time."""
    from mien.inference.video.clip import Clip

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[time]}"))
    bar = Progress(*columns, TimeRemainingColumn(), console=notes, transient=True)
    with bar:
        task = bar.add_task(what, total=None, time="")
        for number, place in enumerate(places):
            if number == 0:
                clip = Clip(path)
                last = min(filter(None, (end, clip.end)), default=None)
                bar.update(task, total=last and last - clip.start)
            if number % 10 == 0:
                time = f"{place.time:.1f} s"
                bar.update(task, completed=place.time - clip.start, time=time)


def _copies(job: VideoJob) -> MarkedCopies | None:
    if job.written.annotated is None:
        return None
    from mien.inference.marked import MarkedCopies

    return MarkedCopies(job.written.annotated, job.paths, kept=(".mp4",), otherwise=".mp4")


def _finish(outcomes: Sequence[VideoOutcome], problems: Sequence[str], whole: bool) -> None:
    problems = [*(outcome.message for outcome in outcomes if outcome.message), *problems]
    complain(problems, MOST_ERRORS)
    _say_restless(outcomes)
    frames = sum(outcome.frames for outcome in outcomes)
    if not whole:
        say(f"Interrupted after {frames:,} frames: what is above is not all.")
        sys.exit(exits.INTERRUPTED)
    if problems:
        sys.exit(exits.INCOMPLETE if frames else exits.BAD_INPUT)


def _say_restless(outcomes: Sequence[VideoOutcome]) -> None:
    from mien.inference.video.summary import NO_REST

    restless = [
        f"person {person.track} of {outcome.path.name}"
        for outcome in outcomes
        for person in outcome.persons
        if person.rest == NO_REST
    ]
    if restless:
        more = len(restless) - MOST_ERRORS
        named = ", ".join(restless[:MOST_ERRORS]) + (f" and {more} more" if more > 0 else "")
        say(
            f"{NO_REST.capitalize()} for {named}: neutral leads in none of the frames that would "
            "count as rest, so the change_ columns are empty."
        )
