"""`mien analyze`: from photos or videos to readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.apps.cli.console import say
from mien.apps.cli.extras import need
from mien.apps.cli.options import Detector, DetectorWeights, Labels, Model, given
from mien.apps.cli.pictures import analyze_photos, say_passed_over
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
from mien.apps.cli.written import Written
from mien.errors import MienError
from mien.processes import usable_cpus

if TYPE_CHECKING:
    from mien.inference.analyzer import Analyzer


class Format(str, Enum):
    """The formats of a results file."""

    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


def analyze(
    inputs: Annotated[list[Path], typer.Argument(help="Photos, or videos, and folders of them.")],
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
    """Read the expression of every face in photos, or in videos, and in folders of them.

    A folder's photos are read; its videos if it holds no photo, or with an option for videos.
    Prints a table, or writes one row per face, of videos per face and frame; what shows no face,
    and what cannot be read, has a row that says so. Exit code: 0 all read, 1 some could not be
    read, 2 nothing could be done.
    """
    from mien.inference.gathered import partial_path

    _check(inputs, out, form, resume)
    if resume and out and out.exists() and not partial_path(out).exists():
        say(f"{out} is whole: there is nothing to resume. Without --resume all is read again.")
        return
    options = _VideoOptions(
        sampling=given(every=every, fps=fps, start=start, end=end),
        search=given(every=detect_every, thorough=thorough),
        beside=given(uncertain=uncertain, smooth=smooth, baseline=baseline or None),
        report=report,
    )
    written = Written(out, form and form.value, annotated, resume)
    videos = _videos(inputs, options)
    make = partial(_analyzer, model, detector, labels, detector_weights)
    if videos.paths:
        _read_videos(make, videos, written, options)
    else:
        analyze_photos(make(None), inputs, written)


@dataclass(frozen=True)
class _VideoOptions:
    """What was given of the options that only videos have, by the value it belongs to."""

    sampling: dict[str, Any]
    search: dict[str, Any]
    beside: dict[str, Any]
    report: Path | None

    def __bool__(self) -> bool:
        return bool(self.sampling or self.search or self.beside or self.report)


def _analyzer(
    model: str,
    detector: str,
    labels: str | None,
    detector_weights: Path | None,
    threads: int | None,
) -> Analyzer:
    from mien.inference.analyzer import Analyzer

    return Analyzer(model, detector, labels, detector_weights, threads)


@dataclass(frozen=True)
class _Videos:
    """The videos to read, what else their folders hold, and which of these cannot be read."""

    paths: list[Path] = field(default_factory=list)
    passed_over: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def _videos(inputs: Sequence[Path], options: _VideoOptions) -> _Videos:
    """Return what is to be read of videos; none if photos are to be read.

    Raises:
        MienError: If videos are given beside something else, or only options for videos.
    """
    from mien.inference.folders import find_pictures, find_videos, is_folder
    from mien.inference.video.kind import is_video

    folders = {path for path in inputs if is_folder(path)}
    opened = {path for path in folders if options or not any(find_pictures([path]))}
    wanted = opened | {path for path in inputs if path not in folders and is_video(path)}
    others = [path for path in inputs if path not in wanted]
    found = _Videos()
    if options or not others or wanted > opened:
        given = [path for path in inputs if path in wanted]
        report = found.problems.append
        found.paths.extend(find_videos(given, lambda e: report(str(e)), found.passed_over.append))
        _check_kinds(found, others, options, inputs)
    return found


def _check_kinds(
    found: _Videos, others: Sequence[Path], options: _VideoOptions, inputs: Sequence[Path]
) -> None:
    if found.paths and others:
        raise MienError(
            f"{found.paths[0]} is a video and {others[0]} is not: read them in two runs."
        )
    if options and not found.paths:
        lacks = "is not a" if others else "holds no"
        first = [*others, *inputs][0]
        said = f"Options for videos were given, and {first} {lacks} video."
        raise MienError(" ".join([said, *found.problems]))


def _read_videos(
    make: Callable[[int | None], Analyzer],
    videos: _Videos,
    written: Written,
    options: _VideoOptions,
) -> None:
    need("video", "Reading videos")
    say_passed_over(videos.passed_over, "is no video")
    from mien.apps.cli.video import VideoJob, analyze_videos
    from mien.inference.video.finder import Search
    from mien.inference.video.run import VideoReader
    from mien.inference.video.sampling import Sampling
    from mien.inference.video.table import Beside

    sampling, search = Sampling(**options.sampling), Search(**options.search)
    beside = Beside(**options.beside)
    # One core is left to decoding and finding faces, which run beside the classifier.
    analyzer = make(max(1, usable_cpus() - 1))
    reader = VideoReader(analyzer, sampling, search)
    job = VideoJob(videos.paths, reader, beside, written, options.report, videos.problems)
    analyze_videos(job)


def _stands(path: Path) -> bool:
    """Return whether there is such a file or folder, or at least something that says no."""
    try:
        return path.exists()
    except OSError:  # reading it will say what is wrong
        return True


def _check(inputs: Sequence[Path], out: Path | None, form: Format | None, resume: bool) -> None:
    from mien.inference import pictures
    from mien.inference.video import kind

    if not any(_stands(path) for path in inputs):
        raise MienError(f"{inputs[0]} does not exist.")  # before an earlier --out is replaced
    if out is not None and out in inputs:
        raise MienError(f"--out must be another file than what is read. Got {out}.")
    if out is not None and out.suffix.lower() in {*pictures.SUFFIXES, *kind.SUFFIXES}:
        raise MienError(f"--out must be a table, such as rows.csv. Got {out}, a photo or a video.")
    if out is None and form is Format.parquet:
        raise MienError("Parquet is not for the terminal: name a file with --out.")
    if out is None and resume:
        raise MienError("--resume needs the --out of the run that was interrupted.")
