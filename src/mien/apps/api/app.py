"""The server as an ASGI application."""

from __future__ import annotations

import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from mien import __version__
from mien.apps.api.about import health_routes, model_routes
from mien.apps.api.limits import BodyLimits
from mien.apps.api.pictures import picture_routes
from mien.apps.api.refusals import RefusedError, add_refusals
from mien.apps.api.service import Service
from mien.apps.api.settings import ServerSettings
from mien.apps.api.videos import video_routes
from mien.apps.web.page import page_routes

ABOUT = """
Reads the expressions of faces in photos and videos. A reading says how people would label a face,
not what the person feels. Pictures stay on the machine that runs this server, in memory; videos
are deleted when they were read.
"""

KEYED = "/v1/"


def create_app(settings: ServerSettings | None = None) -> FastAPI:
    """Return the application: the API under /v1, its documentation under /docs, the page at /.

    Args:
        settings: Limits and choices.

    Raises:
        MienError: If the model or the detector cannot be used.
    """
    settings = settings or ServerSettings()
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="mien",
        version=__version__,
        description=ABOUT,
        lifespan=lifespan,
        redoc_url=None,
        docs_url=None,
    )
    app.state.service = service
    add_refusals(app)
    _add_watch(app, service)
    app.add_middleware(BodyLimits, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["*"],
            allow_headers=["*"],
        )
    for router in (
        picture_routes(service),
        video_routes(service),
        model_routes(service),
        health_routes(service),
        page_routes(),
    ):
        app.include_router(router)
    return app


def _add_watch(app: FastAPI, service: Service) -> None:
    """Ask for the key, and count answers and their times."""

    @app.middleware("http")
    async def watch(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        start = time.perf_counter()
        if _locked(request, service.settings.api_key):
            answer: Response = RefusedError(401, "Send the server's key as X-API-Key.").answer()
        else:
            answer = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "other")
        service.counters.requests.labels(route, str(answer.status_code)).inc()
        service.counters.seconds.labels(route).observe(time.perf_counter() - start)
        return answer


def _locked(request: Request, key: str) -> bool:
    if not key or not request.url.path.startswith(KEYED) or request.method == "OPTIONS":
        return False
    given = request.headers.get("x-api-key", "")
    return not hmac.compare_digest(given.encode(), key.encode())
