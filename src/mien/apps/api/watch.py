"""Asks for the key, and counts answers and their times."""

from __future__ import annotations

import hmac
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.apps.api.counters import Counters
from mien.apps.api.refusals import RefusedError

KEYED = "/v1/"
"""Where the key is asked for; the page itself and the server's health can be seen without."""

HEADER = "X-API-Key"


class Watch:
    """Lets through who has the key, and counts everything.

    Args:
        app: What answers the requests.
        counters: Where they are counted.
        key: What clients must send; empty for nothing.
    """

    def __init__(self, app: ASGIApp, counters: Counters, key: str) -> None:
        self._app = app
        self._counters = counters
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            app = self._app if self._opens(scope) else RefusedError(401, NO_KEY).answer()
            await app(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._counters.requests.labels(route, str(status)).inc()
            self._counters.seconds.labels(route).observe(time.perf_counter() - start)

    def _opens(self, scope: Scope) -> bool:
        if not self._key or not scope["path"].startswith(KEYED):
            return True
        given = Headers(scope=scope).get(HEADER, "")
        return hmac.compare_digest(given.encode("latin-1"), self._key)


NO_KEY = f"Send the server's key as {HEADER}."
