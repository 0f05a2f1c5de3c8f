"""Bodies that are too large or too slow are refused while they arrive."""

from __future__ import annotations

import asyncio
import time

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import MEGABYTE, ServerSettings

VIDEOS = "/v1/videos"

LINGER = 1.0
"""Seconds in which the rest of a refused body is taken and dropped: a connection that is closed
while its client still sends is reset, and the client never sees the answer."""


class BodyLimits:
    """Counts the bytes of each request's body and the time they take.

    What goes beyond a limit is refused where the route asks for the next part of the body. A
    request that is answered before its body has come is the last one of its connection.

    Args:
        app: What answers the requests.
        settings: The limits.

    Attributes:
        held: Bytes of bodies that are in memory; those of videos go to the disk.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self.settings = settings
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, scope, receive)
        answer = _Answer(body, send)
        try:
            await self._app(scope, body.receive, answer.send)
        finally:
            body.let_go()


class _Body:
    """The body of one request."""

    def __init__(self, limits: BodyLimits, scope: Scope, receive: Receive) -> None:
        headers = dict(scope["headers"])
        self._limits = limits
        self._receive = receive
        said = headers.get(b"content-length", b"0")
        self._said = int(said) if said.isdigit() else 0
        self._of_video = get_route_path(scope).rstrip("/") == VIDEOS
        self._start = time.monotonic()
        self._got = 0
        self._held = 0
        self.ended = not self._said and b"transfer-encoding" not in headers
        self.answered = False

    async def receive(self) -> Message:
        """Return the next part of the body, or what comes after it.

        Raises:
            RefusedError: If the body is too large or too slow.
        """
        # What comes after the body, the client's going away, may take any time.
        if self.ended or self.answered:
            return await self._receive()
        self._check(self._said)
        message = await self._next(self._seconds_left())
        self._check(self._got)
        return message

    async def drop(self) -> None:
        """Take what still comes, for a moment."""
        until = time.monotonic() + LINGER
        try:
            while not self.ended and time.monotonic() < until:
                await self._next(until - time.monotonic())
        except RefusedError:
            self.ended = True

    def let_go(self) -> None:
        """Say that the body is not in memory any more."""
        self._limits.held -= self._held
        self._held = 0

    async def _next(self, seconds: float) -> Message:
        try:
            message = await asyncio.wait_for(self._receive(), max(seconds, 0.001))
        except asyncio.TimeoutError:
            raise RefusedError(408, "The body came too slowly.") from None
        length = len(message.get("body", b""))
        self._got += length
        if not self._of_video and not self.answered:
            self._held += length
            self._limits.held += length
        self.ended = not message.get("more_body", False)
        return message

    def _seconds_left(self) -> float:
        settings = self._limits.settings
        allowed = settings.body_seconds + self._got / settings.slowest
        return self._start + allowed - time.monotonic()

    def _check(self, length: int) -> None:
        settings = self._limits.settings
        most = settings.video_bytes if self._of_video else settings.picture_bytes
        if length > most:
            raise RefusedError(
                413, f"The body must be at most {most / MEGABYTE:.3g} megabytes (2^20 bytes)."
            )
        if self._limits.held > settings.held_bytes:
            raise RefusedError(429, "Too many pictures are arriving: try again soon.", 1)


class _Answer:
    """The answer to one request."""

    def __init__(self, body: _Body, send: Send) -> None:
        self._body = body
        self._send = send

    async def send(self, message: Message) -> None:
        """Send a part of the answer; before its end, drop what was not read of the body."""
        if message["type"] == "http.response.start":
            self._body.answered = True
            if not self._body.ended:
                headers = [*message["headers"], (b"connection", b"close")]
                message = {**message, "headers": headers}
        elif not self._body.ended and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._body.drop()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)
