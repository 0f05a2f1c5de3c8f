"""Which processes live, as /proc tells it."""

import time
from pathlib import Path


def children_of(process):
    """Return the numbers of a process's children."""
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def is_alive(process):
    """Return whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def all_end(processes, seconds=30):
    """Wait for processes to end; return whether they did."""
    deadline = time.monotonic() + seconds
    while any(is_alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
