"""Ending by a signal as by Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = ("SIGTERM", "SIGHUP")
"""What services, `timeout` and closed terminals send; Windows has only the first."""


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Let signals that end a program end the block as Ctrl-C does: what it keeps stays whole."""
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
