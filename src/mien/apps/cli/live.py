"""`mien live`: readings of a camera, a stream or a played file, as they come."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from mien.apps.cli import exits
from mien.apps.cli.console import complain, notes, results, say
from mien.apps.cli.ending import ended_as_by_ctrl_c
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
    Ctrl-C or SIGTERM; what was recorded and written is then whole. Exit code: 0 ended as wished,
    1 ended by a failure with results kept, 2 nothing could be done.
    """
    need("video", "Reading live")
    if seconds is not None and not 0 < seconds < math.inf:
        raise MienError(f"--seconds must be above 0. Got {seconds:g} instead.")
    from mien.inference.analyzer import Analyzer
    from mien.inference.live.recorder import Recorder
    from mien.inference.live.session import LiveSession
    from mien.inference.live.sources import live_source

    analyzer = Analyzer(model, detector, labels, detector_weights)
    origin = live_source(source)
    session = LiveSession(analyzer, origin, smooth=smooth, patience=patience)
    kept, failures = _Kept(), []
    try:
        with ExitStack() as stack:
            stack.enter_context(ended_as_by_ctrl_c())
            if record:
                kept.recorder = stack.enter_context(Recorder(record))
            if out:
                kept.journal = stack.enter_context(_results(out, analyzer, origin.name)).journal
            shown = _view(view)
            stack.enter_context(shown)
            failures += _run(session, shown, kept, seconds)
            kept.end(origin.name, failures)
    except (MienError, OSError) as error:  # closing what is kept can fail, too
        if not kept.anything:
            raise
        failures.append(str(error))
    _sum_up(kept, out)
    _finish(failures, out, record if kept.recorder and kept.recorder.whole else None)


@dataclass
class _Kept:
    """What is kept of a session, and whether a frame was."""

    journal: VideoJournal | None = None
    recorder: Recorder | None = None
    anything: bool = False
    frames: int = 0
    dropped: int = 0
    persons: set[int] = field(default_factory=set)

    def add(self, frame: LiveFrame, marked: Callable[[], Image]) -> None:
        self.frames += 1
        self.dropped = frame.pace.dropped
        self.persons.update(reading.track for reading in frame.read.readings)
        if self.journal is not None:
            try:
                self.journal.add(frame.read)
            except OSError as error:
                message = f"{self.journal.path} cannot be written: {error.strerror}."
                raise MienError(message) from error
            self.anything = True
        if self.recorder is not None:
            self.recorder.write(marked(), frame.read.place.time)
        self.anything = True

    def end(self, source: str, failures: Sequence[str]) -> None:
        if failures and self.journal is not None:
            # On a full disk, which is then the failure, this row cannot be written either.
            with suppress(OSError):
                self.journal.end(source, failures)


def _results(out: Path, analyzer: Analyzer, source: str) -> VideoResults:
    from mien.inference.gathered import partial_path
    from mien.inference.lines import UnfinishedError
    from mien.inference.video.journal import VideoSettings
    from mien.inference.video.results import VideoResults
    from mien.inference.video.table import Beside

    if out.exists():
        raise MienError(f"{out} is there already: name a new file for the rows.")
    shared = {**analyzer.settings.model_dump(), "inputs": (source,)}
    try:
        settings = VideoSettings(**shared, pictures="upright", times="as played")
        return VideoResults(out, settings, Beside(clock=True))
    except UnfinishedError as error:
        raise MienError(
            f"{partial_path(out)} is what was kept, as JSON lines, of a session that was broken "
            "off: move it away, or delete it."
        ) from error


def _unfinished(out: Path) -> Path | None:
    """Return the rows that stand in no table yet; None if there are none."""
    from mien.inference.gathered import partial_path

    partial = partial_path(out)
    return partial if partial.is_file() else None


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


def _run(session: LiveSession, view: View, kept: _Kept, seconds: float | None) -> list[str]:
    """Read until the source ends or the user wishes; return what failed on the way, if anything."""
    from mien.inference.live.session import LiveFrame

    start = time.monotonic()
    try:
        for frame in session.frames():
            if isinstance(frame, LiveFrame):
                _take(frame, view, kept)
            else:
                view.wait(f"{frame.reason} Waiting for it …" if frame.reason else "")
            if view.closed or (seconds is not None and time.monotonic() - start >= seconds):
                break
    except KeyboardInterrupt:
        return []
    except (MienError, OSError) as error:
        if not kept.anything:
            raise
        return [str(error)]
    return []


def _take(frame: LiveFrame, view: View, kept: _Kept) -> None:
    from mien.inference.render import annotate

    marked = lru_cache(maxsize=1)(partial(annotate, frame.picture, frame.shown))
    kept.add(frame, marked)
    view.show(frame, marked)


def _sum_up(kept: _Kept, out: Path | None) -> None:
    """Print one line, also where nobody could watch."""
    rows = "; no rows are kept (--out FILE keeps them)"
    if out is not None:
        rows = f"; rows in {_unfinished(out) or out}"
    counts = [_count(kept.frames, "frame") + " read", f"{kept.dropped:,} dropped"]
    results.print(
        Text(", ".join([*counts, _count(len(kept.persons), "person")]) + rows), soft_wrap=True
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _finish(failures: Sequence[str], out: Path | None, record: Path | None) -> None:
    partial = _unfinished(out) if out else None
    for path in filter(None, (None if partial else out, record)):
        if path.exists():
            say(f"Wrote {path}")
    complain(failures, len(failures))
    if partial:
        say(f"What was read is kept in {partial}, as JSON lines.")
    if failures:
        sys.exit(exits.INCOMPLETE)
