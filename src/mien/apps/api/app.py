"""The server as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI, Security
from fastapi.security import APIKeyHeader
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from mien import __version__
from mien.apps.api.about import health_routes, model_routes
from mien.apps.api.explain import explain_routes
from mien.apps.api.limits import BodyLimits
from mien.apps.api.pictures import picture_routes
from mien.apps.api.queries import only_known
from mien.apps.api.refusals import add_refusals
from mien.apps.api.service import Service
from mien.apps.api.settings import ServerSettings
from mien.apps.api.videos import video_routes
from mien.apps.api.watch import HEADER, Watch
from mien.apps.web.page import page_routes

ABOUT = """
Reads the expressions of faces in photos and videos. A reading says how people would label a face,
not what the person feels. Pictures stay on the machine that runs this server, in memory; videos
are deleted as soon as they are read.
"""


def create_app(settings: ServerSettings | None = None) -> FastAPI:
    """Return the application: the API under /v1, its documentation under /docs, the page at /.

    Args:
        settings: Limits and choices.

    Raises:
        MienError: If the model or the detector cannot be used.
    """
    settings = settings or ServerSettings()
    service = Service(settings)
    app = FastAPI(
        title="mien",
        version=__version__,
        description=ABOUT,
        lifespan=_lifespan(service),
        redoc_url=None,
        docs_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    add_refusals(app)
    app.add_middleware(Watch, counters=service.counters, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=[HEADER],
            expose_headers=["Retry-After", "Content-Disposition"],
        )
    app.add_middleware(BodyLimits, settings=settings)
    key = [Security(APIKeyHeader(name=HEADER, auto_error=False))] if settings.api_key else []
    for routes in (picture_routes, explain_routes, video_routes, model_routes):
        app.include_router(routes(service), dependencies=[*key, Depends(only_known)])
    app.include_router(health_routes(service))
    app.include_router(page_routes())
    return app


def _lifespan(service: Service) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(service.close)

    return lifespan
