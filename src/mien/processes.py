"""Processes that work beside the one that started them, and end with it."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing import connection, parent_process
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
"""Where Linux says what its control groups, such as a container's, may use (version 2)."""

OWN_GROUP = Path("/proc/self/cgroup")
"""Where it says which one a process is in."""


def usable_cpus() -> int:
    """Return how many processors this process may use: some of them, or a share of their time."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        count = os.cpu_count() or 1
    return max(1, int(min([count, *map(cpu_quota, _groups())])))


def cpu_quota(group: Path) -> float:
    """Return how many processors' time a control group allows; infinite if it sets no limit."""
    try:
        microseconds, period = (group / "cpu.max").read_text().split()
        return int(microseconds) / int(period)
    except (OSError, ValueError):  # there is no such file, or it says "max"
        return math.inf


def _groups() -> Iterator[Path]:
    """Give the control group of this process and all above it, whose limits hold for it, too."""
    try:
        own = OWN_GROUP.read_text().rpartition("0::/")[2].strip()
    except OSError:
        return
    yield GROUPS / own
    yield from (above for above in (GROUPS / own).parents if above.is_relative_to(GROUPS))


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
