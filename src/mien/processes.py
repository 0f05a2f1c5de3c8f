"""Processes that work beside the one that started them, and end with it."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import connection, parent_process


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def follow_parent() -> None:
    """Leave interruptions to the process that started this one, and end when it is gone.

    A process that waits for work would otherwise wait for ever once its parent is killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
