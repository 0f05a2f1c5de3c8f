"""Times of videos as tables write them."""

from __future__ import annotations

from math import isfinite

from mien.data.tables import decimal
from mien.errors import DataError


def seconds(text: str, where: str) -> float:
    """Return a time in seconds, of 83.5 as of 00:01:23.5; only the former may lie before 0.

    Args:
        text: The time.
        where: Where it stands, for the error.

    Raises:
        DataError: If it is none, such as the timecode 00:00:10:12, whose last part is of frames.
    """
    try:
        parts = [decimal(part) for part in text.split(":")]
    except ValueError:
        parts = [float("nan")]
    value = sum(part * 60.0**power for power, part in enumerate(reversed(parts)))
    if not isfinite(value) or (len(parts) > 1 and not _is_clock(parts, text)):
        raise DataError(f"{where}: wanted a time in seconds, or as hh:mm:ss.sss, found {text!r}.")
    return value


def _is_clock(parts: list[float], text: str) -> bool:
    # The sign stands in the text alone where the part that it belongs to is 0.
    return len(parts) <= 3 and "-" not in text and all(part < 60 for part in parts[1:])
