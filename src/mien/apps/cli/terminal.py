"""A live session shown in the terminal, and one that is not shown."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mien.apps.cli.console import notes
from mien.apps.cli.status import pace_text
from mien.inference.percent import percent

if TYPE_CHECKING:
    from mien.inference.live.session import LiveFrame
    from mien.inference.video.reading import FaceReading
    from mien.preprocess import Image

BAR = 20
"""Cells of a bar of probability 1."""

MOST_FACES = 8
"""Faces that are shown, the largest ones."""


class Terminal:
    """Shows the readings of a live session as bars. It is a context manager."""

    closed = False

    def __init__(self) -> None:
        self._live = Live(console=notes, refresh_per_second=10, transient=True)

    def show(self, frame: LiveFrame, marked: Callable[[], Image]) -> None:
        """Show a frame's readings."""
        faces = [_bars(reading) for reading in frame.shown[:MOST_FACES]]
        self._live.update(Group(*(faces or [Text("no face")]), Text(pace_text(frame), "dim")))

    def wait(self, text: str) -> None:
        """Show a sentence instead, if there is one, while there is no frame."""
        if text:
            self._live.update(Text(text))

    def __enter__(self) -> Terminal:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()


class Hidden:
    """Shows nothing. It is a context manager."""

    closed = False

    def show(self, frame: LiveFrame, marked: Callable[[], Image]) -> None:
        """Show nothing."""

    def wait(self, text: str) -> None:
        """Say nothing."""

    def __enter__(self) -> Hidden:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


def _bars(reading: FaceReading) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_row(Text(reading.caption, "bold"))
    for name, probability in zip(reading.labels.expressions, reading.probabilities, strict=True):
        bar = "█" * round(BAR * probability)
        table.add_row(f"  {name:<10}", Text(bar.ljust(BAR), "cyan"), f"{percent(probability):>4}")
    return table
