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
    # Under nohup a closed terminal is to be outlived; of a handler set in C nothing is known.
    ours = [n for n in numbers if signal.getsignal(n) not in (signal.SIG_IGN, None)]

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in ours:  # a second one, as closed terminals send, must not break off the end
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ours}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
