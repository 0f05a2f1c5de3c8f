"""A share as people read it."""

from __future__ import annotations

EXACT = 1e-9
"""How far a share may be from none or all through rounding."""


def percent(share: float) -> str:
    """Return a share, 0 to 1, in whole per cent; only none is 0%, and only all is 100%."""
    if EXACT < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 < share < 1 - EXACT else f"{share:.0%}"
