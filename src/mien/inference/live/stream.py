"""Readings of videos and live sources, one after the other, for a loop."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import chain
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
"""Frames of several sources whose readings wait to be taken."""

FrameOf = tuple[FaceReading, ...]
"""The readings of a frame; empty where it shows no face, or no frame came for a while. A source
that shows no face gives these, too, so that its thread sees when it is not wanted any more."""


def stream(
    analyzer: Analyzer,
    sources: Sequence[str | Path | int],
    sampling: Sampling,
    search: Search,
) -> Iterator[FaceReading]:
    """Give the readings of one or several sources; see `Analyzer.stream`."""
    frames = [_frames(analyzer, source, sampling, search) for source in sources]
    if len(frames) == 1:
        yield from chain.from_iterable(frames[0])
        return
    with Ahead(*frames, size=WAITING) as together:
        yield from chain.from_iterable(together)


def _frames(
    analyzer: Analyzer, source: str | Path | int, sampling: Sampling, search: Search
) -> Iterator[FrameOf]:
    live = None if isinstance(source, Path) else live_source(str(source))
    if live is None or isinstance(live, Player):
        return _of_file(VideoReader(analyzer, sampling, search), Path(str(source)))
    return _of_live(analyzer, live, search)


def _of_file(reader: VideoReader, path: Path) -> Iterator[FrameOf]:
    clip = Clip(path)
    for read in reader.read(clip):
        yield read.readings
    for problem in clip.problems:
        warnings.warn(problem, stacklevel=2)


def _of_live(analyzer: Analyzer, source: Source, search: Search) -> Iterator[FrameOf]:
    for frame in LiveSession(analyzer, source, search).frames():
        yield frame.shown if isinstance(frame, LiveFrame) else ()
