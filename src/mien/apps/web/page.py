"""The page at `/`, and the API's documentation at `/docs`; both load nothing from other hosts."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from mien.apps.api.refusals import RefusedError

STATIC = Path(__file__).parent / "static"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:;"
        " style-src 'self' 'unsafe-inline'; frame-ancestors 'none';"
        " base-uri 'none'"
    ),
    "Permissions-Policy": "camera=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""The browser itself keeps the page from talking to other hosts."""


def page_routes() -> APIRouter:
    """Return the routes of the page and its files."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def page() -> Response:
        return _file("index.html")

    @router.get("/docs")
    async def docs() -> Response:
        return _file("docs.html")

    @router.get("/favicon.ico")
    async def icon() -> Response:
        return _file("icon.svg")

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        return _file(name)

    return router


def _file(name: str) -> Response:
    known = {path.name: path for path in STATIC.iterdir()}
    if name not in known:
        raise RefusedError(404, "There is no such file.")
    path = known[name]
    return FileResponse(path, media_type=TYPES[path.suffix], headers=HEADERS)
