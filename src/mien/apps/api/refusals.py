"""What the server does not do, as answers of one sentence."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from mien.apps.api.answers import RefusalAnswer
from mien.errors import MienError

log = logging.getLogger("mien.server")

GONE = 499
"""The status under which requests are counted whose client went away; nobody receives it."""

Responses = dict[int | str, dict[str, Any]]

REFUSALS: Responses = {
    status: {"model": RefusalAnswer, "description": why}
    for status, why in {
        400: "The body cannot be parsed",
        401: "The key is missing or wrong",
        403: "The page that asks is of another site, or asks for another server",
        404: "There is no such thing",
        408: "The body came too slowly",
        413: "The body is too large, or holds too many pictures",
        415: "The body has another content type",
        422: "What was sent cannot be read",
        429: "Too much is waiting; see Retry-After",
        431: "The headers are too large",
        503: "Reading took too long, or the server is closing; see Retry-After",
        507: "The server has no room for a video; see Retry-After",
    }.items()
}
"""How OpenAPI describes them."""


class RefusedError(Exception):
    """An answer that is an error of the client, or of the moment.

    Args:
        status: The HTTP status.
        sentence: What was wanted and what was found.
        retry_after: Seconds after which to try again; 0 for none.
    """

    def __init__(self, status: int, sentence: str, retry_after: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_after = retry_after

    def answer(self) -> JSONResponse:
        """Return the answer."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else None
        return JSONResponse({"detail": self.sentence}, self.status, headers)


def add_refusals(app: FastAPI) -> None:
    """Turn errors into answers; what was not foreseen is logged and says nothing of its cause."""

    @app.exception_handler(RefusedError)
    async def _refused(request: Request, error: RefusedError) -> JSONResponse:
        return error.answer()

    @app.exception_handler(MienError)
    async def _mistake(request: Request, error: MienError) -> JSONResponse:
        return RefusedError(422, str(error)).answer()

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return RefusedError(422, f"{where}: {first['msg']}.").answer()

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        sentence = f"{error.detail.rstrip('.')}: {request.method} {request.url.path[:200]}."
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = _allowed(request, headers.get("Allow", ""))
        return JSONResponse({"detail": sentence}, error.status_code, headers)

    @app.exception_handler(ClientDisconnect)
    async def _gone(request: Request, error: ClientDisconnect) -> JSONResponse:
        return RefusedError(GONE, "The client went away.").answer()

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed: %s", request.method, request.url.path, type(error).__name__)
        return RefusedError(500, "The server failed; its log says more.").answer()


def _allowed(request: Request, first: str) -> str:
    """Return all methods that an address takes; routing names those of its first route only."""
    known = request.app.openapi()["paths"].get(getattr(request.scope.get("route"), "path", ""), {})
    return ", ".join(sorted({*filter(None, first.split(", ")), *map(str.upper, known)}))
