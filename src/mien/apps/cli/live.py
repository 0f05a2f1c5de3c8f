"""`mien live`: readings of a camera, a stream or a played file, as they come."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.apps.cli import exits
from mien.apps.cli.console import complain, notes, say
from mien.apps.cli.extras import need
from mien.apps.cli.options import Detector, DetectorWeights, Labels, Model
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.apps.cli.terminal import Hidden, Terminal
    from mien.apps.cli.window import Window
    from mien.inference.analyzer import Analyzer
    from mien.inference.live.recorder import Recorder
    from mien.inference.live.session import LiveFrame, LiveSession
    from mien.inference.video.journal import VideoJournal
    from mien.inference.video.results import VideoResults
    from mien.preprocess import Image

    View = Window | Terminal | Hidden


class Where(str, Enum):
    """Where a live session is shown."""

    auto = "auto"
    window = "window"
    terminal = "terminal"
    none = "none"


def live(
    source: Annotated[
        str,
        typer.Argument(
            help="A camera's number, the address of a stream (rtsp://, http://), or a video file,"
            " which is played at its own speed."
        ),
    ] = "0",
    model: Model = "mien-base",
    detector: Detector = "haar",
    detector_weights: DetectorWeights = None,
    labels: Labels = None,
    view: Annotated[
        Where, typer.Option("--view", help="auto: a window if there is a screen.")
    ] = Where.auto,
    smooth: Annotated[
        float | None, typer.Option("--smooth", help="Smooth what is shown over so many seconds.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the raw rows to this .csv, .jsonl or .parquet file."),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Record the marked frames into this new .mp4 or .mkv."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", help="Stop after so many seconds.")
    ] = None,
    patience: Annotated[
        float, typer.Option("--patience", help="Give up a lost source after so many seconds.")
    ] = 60.0,
) -> None:
    """Read expressions live, always of the newest frame.

    Frames that come while one is read are dropped, so that nothing falls behind. A camera or
    stream that is lost is opened again. Ends at the end of a file, with Q in the window, or with
    Ctrl-C; what was recorded and written is then whole. Exit code: 0 ended as wished, 1 ended by a
    failure with results kept, 2 nothing could be done.
    """
    need("video", "Reading live")
    from mien.inference.analyzer import Analyzer
    from mien.inference.live.recorder import Recorder
    from mien.inference.live.session import LiveSession
    from mien.inference.live.sources import live_source

    analyzer = Analyzer(model, detector, labels, detector_weights)
    origin = live_source(source)
    session = LiveSession(analyzer, origin, smooth=smooth, patience=patience)
    with ExitStack() as stack:
        recorder = stack.enter_context(Recorder(record)) if record else None
        journal = stack.enter_context(_results(out, analyzer, source)).journal if out else None
        shown = _view(view)
        stack.enter_context(shown)
        failure = _run(session, shown, _Kept(journal, recorder), seconds)
        if failure and journal is not None:
            journal.end(origin.name, [failure])
    _finish(failure, [path for path in (out, record) if path and path.exists()])


@dataclass(frozen=True)
class _Kept:
    """What is kept of a session."""

    journal: VideoJournal | None
    recorder: Recorder | None

    def add(self, frame: LiveFrame, marked: Callable[[], Image]) -> None:
        if self.journal is not None:
            self.journal.add(frame.read)
        if self.recorder is not None:
            self.recorder.write(marked(), frame.read.place.time)


def _results(out: Path, analyzer: Analyzer, source: str) -> VideoResults:
    from mien.inference.video.journal import VideoSettings
    from mien.inference.video.results import VideoResults
    from mien.inference.video.table import Beside

    shared = {**analyzer.settings.model_dump(), "inputs": (source,)}
    return VideoResults(out, VideoSettings(**shared), Beside())


def _view(where: Where) -> View:
    from mien.apps.cli.terminal import Hidden, Terminal

    if where in (Where.auto, Where.window):
        try:
            from mien.apps.cli.window import Window

            return Window()
        except ImportError as error:  # Python without tkinter
            reason = f"No window can be opened: {error}."
        except MienError as error:
            reason = str(error)
        if where is Where.window:
            raise MienError(f"{reason} Use --view terminal.")
    plain = where is Where.none or (where is Where.auto and not notes.is_terminal)
    return Hidden() if plain else Terminal()


def _run(session: LiveSession, view: View, kept: _Kept, seconds: float | None) -> str:
    """Read until the source ends or the user wishes; return what failed on the way, if anything."""
    from mien.inference.live.session import LiveFrame

    start, read = time.monotonic(), 0
    try:
        for frame in session.frames():
            if isinstance(frame, LiveFrame):
                read += 1
                _take(frame, view, kept)
            elif frame.reason:
                view.say(f"{frame.reason} Waiting for it …")
            if view.closed or (seconds is not None and time.monotonic() - start >= seconds):
                break
    except KeyboardInterrupt:
        return ""
    except (MienError, OSError) as error:
        if not read:
            raise
        return str(error)
    return ""


def _take(frame: LiveFrame, view: View, kept: _Kept) -> None:
    from mien.inference.render import annotate

    marked = lru_cache(maxsize=1)(partial(annotate, frame.picture, frame.shown))
    kept.add(frame, marked)
    view.show(frame, marked)


def _finish(failure: str, written: Sequence[Path]) -> None:
    for path in written:
        say(f"Wrote {path}")
    if failure:
        complain([failure])
        sys.exit(exits.INCOMPLETE)
