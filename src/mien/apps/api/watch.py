"""Asks for the key and for the page that asks, and counts answers and their times."""

from __future__ import annotations

import hmac
import time

from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.apps.api.callers import Callers
from mien.apps.api.counters import Counters
from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import ServerSettings

KEYED = "/v1/"
"""Where the key is asked for; the page itself and the server's health can be seen without."""

HEADER = "X-API-Key"

MOST_HEADERS = 16_384
"""Bytes of the headers of a request. What parses them bounds only what comes in several pieces."""


class Watch:
    """Lets through who has the key and may ask, and counts everything.

    Args:
        app: What answers the requests.
        counters: Where they are counted.
        settings: The key, and which pages may ask.
    """

    def __init__(self, app: ASGIApp, counters: Counters, settings: ServerSettings) -> None:
        self._app = app
        self._counters = counters
        self._key = settings.api_key.encode()
        self._callers = Callers(settings)

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
            refusal = self._refusal(scope)
            app = self._app if refusal is None else refusal.answer()
            await app(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._counters.requests.labels(route, str(status)).inc()
            self._counters.seconds.labels(route).observe(time.perf_counter() - start)

    def _refusal(self, scope: Scope) -> RefusedError | None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADERS:
            return RefusedError(431, f"The headers must be at most {MOST_HEADERS} bytes.")
        if not self._opens(scope):
            return RefusedError(401, NO_KEY)
        return self._callers.refusal(scope)

    def _opens(self, scope: Scope) -> bool:
        # What routes are found by: the whole path begins with where the application is mounted.
        if not self._key or not get_route_path(scope).startswith(KEYED):
            return True
        given = Headers(scope=scope).get(HEADER, "")
        return hmac.compare_digest(given.encode("latin-1"), self._key)


NO_KEY = f"Send the server's key as {HEADER}."
