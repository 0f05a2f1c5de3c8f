"""`/v1/models`, health and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mien.apps.api.answers import ModelAnswer
from mien.apps.api.service import Service


def model_routes(service: Service) -> APIRouter:
    """Return the route that lists models."""
    router = APIRouter(prefix="/v1", tags=["models"])

    @router.get("/models")
    async def models() -> list[ModelAnswer]:
        """List the models that can be asked for."""
        return [_answer(service, name) for name in service.models]

    return router


def health_routes(service: Service) -> APIRouter:
    """Return the routes for whoever watches the server."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the server runs."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"description": "It is shutting down"}})
    async def readyz() -> JSONResponse:
        """Say whether the server takes requests."""
        word, status = ("ready", 200) if service.ready else ("closing", 503)
        return JSONResponse({"status": word}, status)

    @router.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Return counters for Prometheus."""
        service.counters.waiting.set(len(service.pool))
        return Response(generate_latest(service.counters.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(service: Service, name: str) -> ModelAnswer:
    card = service.analyzer(name).classifier.card
    return ModelAnswer(
        name=name,
        description=card.description,
        expressions=list(card.heads[0].expressions),
        default=name == service.default,
        parameters=card.parameters,
        macs=card.macs,
        licence=card.licence,
    )
