"""How a live session keeps up, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.inference.live.session import LiveFrame


def pace_text(frame: LiveFrame) -> str:
    """Return frame rate, latency and dropped frames as a line."""
    pace = frame.pace
    return (
        f"{pace.rate:.1f} frames/s   ·   {pace.latency * 1000:.0f} ms behind   ·   "
        f"{pace.dropped:,} dropped"
    )
