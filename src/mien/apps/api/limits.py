"""Bodies that are too large or too slow are refused while they arrive."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import MEGABYTE, ServerSettings

VIDEOS = "/v1/videos"


class BodyLimits:
    """Counts the bytes of each request's body and the time they take.

    Args:
        app: What answers the requests that are let through.
        settings: The limits.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._most(scope), self._settings.body_seconds)
        answer = _Answer(send)
        try:
            body.check(scope)
            await self._app(scope, body.receive, answer.send)
        except RefusedError as refused:
            if answer.started:
                raise
            await refused.answer()(scope, receive, send)

    def _most(self, scope: Scope) -> int:
        of_video = scope["path"].rstrip("/") == VIDEOS
        return self._settings.video_bytes if of_video else self._settings.picture_bytes


class _Body:
    def __init__(self, receive: Receive, most: int, seconds: float) -> None:
        self._receive = receive
        self._most = most
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._got = 0
        self._ended = False

    def check(self, scope: Scope) -> None:
        """Refuse a body that says itself that it is too large."""
        given = dict(scope["headers"]).get(b"content-length", b"0")
        if given.isdigit() and int(given) > self._most:
            raise self._too_large()

    async def receive(self) -> Message:
        """Receive the next part of the body, or what comes after it."""
        if self._ended:  # waiting for a client that goes away may take any time
            return await self._receive()
        left = self._deadline - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.001))
        except asyncio.TimeoutError:
            raise RefusedError(
                408, f"The body must arrive within {self._seconds:g} seconds."
            ) from None
        self._got += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._got > self._most:
            raise self._too_large()
        return message

    def _too_large(self) -> RefusedError:
        return RefusedError(
            413, f"The body must be at most {self._most / MEGABYTE:g} megabytes (2^20 bytes)."
        )


class _Answer:
    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def send(self, message: Any) -> None:
        """Send a part of the answer."""
        self.started = True
        await self._send(message)
