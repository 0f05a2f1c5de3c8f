"""Readings of videos and live sources, one after the other, for a loop."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from mien.inference.analyzer import Analyzer
from mien.inference.live.session import LiveFrame, LiveSession
from mien.inference.live.sources import Player, Source, live_source
from mien.inference.video.ahead import Ahead
from mien.inference.video.clip import Clip
from mien.inference.video.finder import Search
from mien.inference.video.reading import FaceReading
from mien.inference.video.run import VideoReader
from mien.inference.video.sampling import Sampling

WAITING = 64
"""Readings of several sources that wait to be taken."""


def stream(
    analyzer: Analyzer,
    sources: Sequence[str | Path | int],
    sampling: Sampling,
    search: Search,
) -> Iterator[FaceReading]:
    """Give the readings of one or several sources; see `Analyzer.stream`."""
    readings = [_readings(analyzer, source, sampling, search) for source in sources]
    if len(readings) == 1:
        yield from readings[0]
        return
    with Ahead(*readings, size=WAITING) as together:
        yield from together


def _readings(
    analyzer: Analyzer, source: str | Path | int, sampling: Sampling, search: Search
) -> Iterator[FaceReading]:
    live = None if isinstance(source, Path) else live_source(str(source))
    if live is None or isinstance(live, Player):
        return _of_file(VideoReader(analyzer, sampling, search), Path(str(source)))
    return _of_live(analyzer, live, search)


def _of_file(reader: VideoReader, path: Path) -> Iterator[FaceReading]:
    clip = Clip(path)
    for read in reader.read(clip):
        yield from read.readings
    for problem in clip.problems:
        warnings.warn(problem, stacklevel=2)


def _of_live(analyzer: Analyzer, source: Source, search: Search) -> Iterator[FaceReading]:
    for frame in LiveSession(analyzer, source, search).frames():
        if isinstance(frame, LiveFrame):
            yield from frame.shown
