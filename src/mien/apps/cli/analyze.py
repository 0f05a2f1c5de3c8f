"""`mien analyze`: from photos or videos to readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.apps.cli.console import say
from mien.apps.cli.extras import need
from mien.apps.cli.options import Detector, DetectorWeights, Labels, Model, given
from mien.apps.cli.pictures import analyze_photos
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
    videos = [path for path in inputs if is_video(path)]
    _check_kinds(inputs, videos, options)
    make = partial(_analyzer, model, detector, labels, detector_weights)
    if videos:
        _read_videos(make, list(dict.fromkeys(inputs)), written, options)
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


def _check_kinds(inputs: Sequence[Path], videos: Sequence[Path], options: _VideoOptions) -> None:
    if videos and len(videos) < len(inputs):
        other = next(path for path in inputs if path not in videos)
        raise MienError(f"{videos[0]} is a video and {other} is not: read them in two runs.")
    if options and not videos:
        raise MienError(f"Options for videos were given, and {inputs[0]} is not a video.")


def _read_videos(
    make: Callable[[int | None], Analyzer],
    paths: Sequence[Path],
    written: Written,
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
    analyzer = make(max(1, usable_cpus() - 1))
    reader = VideoReader(analyzer, sampling, search)
    analyze_videos(VideoJob(paths, reader, beside, written, options.report))


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
