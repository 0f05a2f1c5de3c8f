"""What a client is told of a video that could not be dealt with."""

from __future__ import annotations

import logging
import traceback

from mien.errors import MienError

log = logging.getLogger("mien.server")


def told(error: Exception, doing: str) -> str:
    """Return what a client is told of an error; the log says all of what was not foreseen.

    Args:
        error: What was raised.
        doing: What the server was doing, for the log.

    Returns:
        A sentence, which may name files of the server.
    """
    if isinstance(error, MienError):
        return str(error)
    log.error("%s failed", doing, exc_info=error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return "The server failed; its log says more."


def emptied(error: Exception) -> Exception:
    """Return an error whose frames hold nothing any more; where it arose can still be told.

    The picture is among what they hold. Whoever waits for a result holds it in a frame of their
    own, so that an error in it holds itself until Python looks for such cycles.
    """
    one: BaseException | None = error
    while one is not None:
        traceback.clear_frames(one.__traceback__)
        one = one.__cause__ or one.__context__
    return error
