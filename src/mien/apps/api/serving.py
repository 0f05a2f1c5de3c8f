"""Running the server until it is asked to stop, and then until its work is done."""

from __future__ import annotations

import math
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from mien.apps.api.jobs import FETCH
from mien.apps.api.service import Service
from mien.errors import MienError

LAST = 2
"""Seconds beyond those in which any request is answered or refused: whose answer has not left by
then has a client that does not read it."""


class GracefulServer(uvicorn.Server):
    """Stops at the first signal when all videos are read, at the second when all is answered.

    Until then it answers, so that progress and results of videos can be asked for.

    Args:
        app: Made by `create_app`.
        say: Is told, in a sentence, what the server does before it stops; None if nobody is.
    """

    def __init__(self, app: FastAPI, say: Callable[[str], None] | None = None) -> None:
        self._service: Service = app.state.service
        config = uvicorn.Config(
            app,
            http="h11",  # it bounds the headers; httptools takes any number of any length
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=math.ceil(self._service.settings.seconds) + LAST,
        )
        super().__init__(config)
        self._say = say

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take note of a signal.

        Uvicorn's own would send the signal again in the end, and the exit code would not be 0.
        """
        if self._service.ready:
            self._service.drain()
        elif not self.should_exit:
            self.should_exit = True
        elif sig == signal.SIGINT:
            self.force_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Say, ten times a second, whether to stop."""
        if not self._service.ready:
            self._leave()
        return await super().on_tick(counter)

    def _leave(self) -> None:
        if not self._service.jobs.busy:
            self.should_exit = True
        # Not where the signal is handled: it may come in the middle of another line.
        elif self._say and not self.should_exit:
            self._say(_still_to_do(self._service.jobs.unfinished))
            self._say = None


def _still_to_do(videos: int) -> str:
    fetch = f"{FETCH:g} seconds for fetching results"
    if not videos:
        return f"Leaving {fetch}; Ctrl-C again stops at once."
    some, them = ("1 video", "it") if videos == 1 else (f"{videos} videos", "them")
    return f"Finishing {some}, then {fetch}; Ctrl-C again gives {them} up."


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes any that is free.

    Raises:
        MienError: If the address cannot be used, such as a port that is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        reason = str(getattr(error, "strerror", None) or "there is no such address")
        reason = reason.partition(" (")[0]  # Python adds the address
        raise MienError(f"Port {port} of {host} cannot be used: {reason}.") from error
