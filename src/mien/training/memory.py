"""Keeping memory between the steps of a training."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Parameters of glibc's `mallopt`."""

NEVER = 2**31 - 1


def keep_memory() -> bool:
    """Tell the C library to keep freed memory for the next step instead of giving it back.

    A step frees and takes the same hundreds of megabytes again. Given back in between, each page
    has to be cleared by the system: up to a third of the time. For this process only; other systems
    than Linux with glibc are left as they are.

    Returns:
        Whether the library took it.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(MMAP_MAX, 0) and mallopt(TRIM_THRESHOLD, NEVER))
