"""`mien analyze`: from pictures to readings."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import track

from mien.apps.cli import exits
from mien.apps.cli.console import complain, notes, results, say
from mien.apps.cli.extras import need
from mien.apps.cli.options import Detector, DetectorWeights, Labels, Model
from mien.apps.cli.video_options import (
    Baseline,
    DetectEvery,
    End,
    Every,
    Fps,
    Report,
    Smooth,
    Start,
    Thorough,
    Uncertain,
)
from mien.errors import ImageError, MienError

if TYPE_CHECKING:
    from mien.inference.analyzer import Analyzer
    from mien.inference.journal import Journal
    from mien.inference.lines import Record
    from mien.inference.marked import MarkedCopies

MOST_ERRORS = 20


class Format(str, Enum):
    """The formats of a results file."""

    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


def analyze(
    inputs: Annotated[list[Path], typer.Argument(help="Photos and folders of photos; or videos.")],
    model: Model = "mien-base",
    detector: Detector = "haar",
    detector_weights: DetectorWeights = None,
    labels: Labels = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Without --out: print json (of videos jsonl) or csv, not a table."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write all results to this .csv, .json (of videos .jsonl) or .parquet."
        ),
    ] = None,
    annotated: Annotated[
        Path | None,
        typer.Option(
            "--annotated", help="Write a marked copy of each photo or video into this folder."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run that had the same --out.")
    ] = False,
    every: Every = None,
    fps: Fps = None,
    start: Start = None,
    end: End = None,
    detect_every: DetectEvery = None,
    thorough: Thorough = None,
    uncertain: Uncertain = None,
    smooth: Smooth = None,
    baseline: Baseline = False,
    report: Report = None,
) -> None:
    """Read the expression of every face in photos and folders of photos, or in videos.

    Prints a table, or writes one row per face, of videos per face and frame; what shows no face,
    and what cannot be read, has a row that says so. Exit code: 0 all read, 1 some could not be
    read, 2 nothing could be done.
    """
    from mien.inference.gathered import partial_path
    from mien.inference.video.kind import is_video

    _check(out, form, resume)
    if resume and out and out.exists() and not partial_path(out).exists():
        say(f"{out} is whole: there is nothing to resume.")
        return
    options = _VideoOptions(
        sampling=_given(every=every, fps=fps, start=start, end=end),
        search=_given(every=detect_every, thorough=thorough),
        beside=_given(uncertain=uncertain, smooth=smooth, baseline=baseline or None),
        report=report,
    )
    files = _Files(out, form, annotated, resume)
    videos = [path for path in inputs if is_video(path)]
    _check_kinds(inputs, videos, options)
    make = partial(_analyzer, model, detector, labels, detector_weights)
    if videos:
        _read_videos(make, list(dict.fromkeys(inputs)), files, options)
    else:
        _read_photos(make(None), inputs, files)


@dataclass(frozen=True)
class _Files:
    """What is written, and whether it was begun before."""

    out: Path | None
    form: Format | None
    annotated: Path | None
    resume: bool


@dataclass(frozen=True)
class _VideoOptions:
    """What was given of the options that only videos have, by the value it belongs to."""

    sampling: dict[str, Any]
    search: dict[str, Any]
    beside: dict[str, Any]
    report: Path | None

    def __bool__(self) -> bool:
        return bool(self.sampling or self.search or self.beside or self.report)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _analyzer(
    model: str,
    detector: str,
    labels: str | None,
    detector_weights: Path | None,
    threads: int | None,
) -> Analyzer:
    from mien.inference.analyzer import Analyzer

    return Analyzer(model, detector, labels, detector_weights, threads)


def _check_kinds(inputs: Sequence[Path], videos: Sequence[Path], options: _VideoOptions) -> None:
    if videos and len(videos) < len(inputs):
        other = next(path for path in inputs if path not in videos)
        raise MienError(f"{videos[0]} is a video and {other} is not: read them in two runs.")
    if options and not videos:
        raise MienError(f"Options for videos were given, and {inputs[0]} is not a video.")


def _read_videos(
    make: Callable[[int | None], Analyzer],
    paths: Sequence[Path],
    files: _Files,
    options: _VideoOptions,
) -> None:
    need("video", "Reading videos")
    from mien.apps.cli.video import VideoJob, analyze_videos
    from mien.inference.video.finder import Search
    from mien.inference.video.run import VideoReader
    from mien.inference.video.sampling import Sampling
    from mien.inference.video.table import Beside

    sampling, search = Sampling(**options.sampling), Search(**options.search)
    beside = Beside(**options.beside)
    # One core is left to decoding and finding faces, which run beside the classifier.
    analyzer = make(max(1, (os.cpu_count() or 1) - 1))
    reader = VideoReader(analyzer, sampling, search)
    form = files.form and files.form.value
    targets = (files.out, form, files.annotated, options.report, files.resume)
    analyze_videos(VideoJob(paths, reader, beside, *targets))


def _read_photos(analyzer: Analyzer, inputs: Sequence[Path], files: _Files) -> None:
    from mien.inference.sinks import Results

    problems: list[str] = []
    paths = _paths(inputs, problems)
    job = _Job(analyzer, paths, _copies(files.annotated, paths), problems)
    given = {"inputs": tuple(map(str, inputs)), "marked_copies": str(files.annotated or "")}
    settings = analyzer.settings.model_copy(update=given)
    out, form = files.out, files.form
    folder = tempfile.TemporaryDirectory() if out is None else nullcontext(str(out.parent))
    with folder as name:
        file = out or Path(name) / f"readings.{(form or Format.json).value}"
        with Results(file, settings, form and form.value, resume=files.resume) as gathered:
            whole = _read_all(job, gathered.journal)
            if not whole and out:
                _stop_and_keep(gathered.journal)
            records = list(gathered.journal.records())
        _show(records, analyzer, file, out, form)
    _finish(records, problems, whole)


@dataclass(frozen=True)
class _Job:
    """What is to be read, and where the sentences about what went wrong gather."""

    analyzer: Analyzer
    paths: Sequence[Path]
    copies: MarkedCopies | None
    problems: list[str]


def _check(out: Path | None, form: Format | None, resume: bool) -> None:
    if out is None and form is Format.parquet:
        raise MienError("Parquet is not for the terminal: name a file with --out.")
    if out is None and resume:
        raise MienError("--resume needs the --out of the run that was interrupted.")


def _paths(inputs: Sequence[Path], problems: list[str]) -> list[Path]:
    from mien.inference.folders import find_pictures
    from mien.inference.pictures import SUFFIXES

    others: list[Path] = []
    unreadable: list[ImageError] = []
    paths = list(find_pictures(inputs, unreadable.append, others.append))
    problems.extend(map(str, unreadable))
    _say_passed_over(others)
    if not paths:
        names = ", ".join(str(path) for path in inputs)
        suffixes = ", ".join(SUFFIXES)
        raise MienError(" ".join([f"{names} holds no photo ({suffixes}).", *problems]))
    return paths


def _say_passed_over(others: Sequence[Path]) -> None:
    if others:
        kinds = Counter(path.suffix.lower() or "no suffix" for path in others)
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(6))
        say(f"Passed over what has no photo's suffix: {listed}.")


def _copies(folder: Path | None, paths: Sequence[Path]) -> MarkedCopies | None:
    if folder is None:
        return None
    from mien.inference.marked import MarkedCopies

    return MarkedCopies(folder, paths)


def _read_all(job: _Job, journal: Journal) -> bool:
    """Read what the journal does not hold yet; return False if the user interrupts."""
    missing = [path for path in job.paths if path not in journal]
    try:
        for path in _bar(missing):
            _read(job, path, journal)
    except KeyboardInterrupt:
        return False
    return True


def _read(job: _Job, path: Path, journal: Journal) -> None:
    from mien.inference.pictures import read_picture

    try:
        picture = read_picture(path)
        readings = job.analyzer.read(picture, str(path))
    except MienError as error:
        journal.add_error(path, str(error))
        return
    if job.copies:
        try:
            job.copies.write(path, picture, readings)
        except MienError as error:
            job.problems.append(str(error))
    height, width = picture.shape[:2]
    journal.add(path, (width, height), readings)


def _bar(paths: Sequence[Path]) -> Iterable[Path]:
    return track(paths, "Reading photos", console=notes, transient=True, disable=len(paths) < 2)


def _stop_and_keep(journal: Journal) -> None:
    say("Interrupted.")
    if len(journal):
        say(
            f"{len(journal)} photos are done and kept in {journal.path}."
            " The same command with --resume continues."
        )
    sys.exit(exits.INTERRUPTED)


def _show(
    records: Sequence[Record],
    analyzer: Analyzer,
    file: Path,
    out: Path | None,
    form: Format | None,
) -> None:
    from mien.apps.cli.tables import readings_table
    from mien.inference.sinks import rows

    if out is None and form is not None:
        sys.stdout.write(file.read_text(encoding="utf-8"))
        return
    expressions = analyzer.labels.expressions
    if any(record["status"] != "error" for record in records):
        results.print(readings_table(list(rows(records, expressions)), expressions))
    if out is not None:
        say(f"Wrote {out}")


def _finish(records: Sequence[Record], problems: Sequence[str], whole: bool) -> None:
    errors = [record["message"] for record in records if record["status"] == "error"]
    complain([*errors, *problems], MOST_ERRORS)
    if not whole:
        say(f"Interrupted after {len(records)} photos: what is above is not all.")
        sys.exit(exits.INTERRUPTED)
    if errors or problems:
        sys.exit(exits.BAD_INPUT if len(errors) == len(records) else exits.INCOMPLETE)
