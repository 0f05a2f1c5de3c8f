"""`/v1/models`, health and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mien.apps.api.answers import DoubtAnswer, HealthAnswer, ModelAnswer
from mien.apps.api.refusals import REFUSALS, Responses
from mien.apps.api.service import Service
from mien.card import ModelCard


def model_routes(service: Service) -> APIRouter:
    """Return the route that lists models."""
    known: Responses = {status: REFUSALS[status] for status in (401, 403, 422, 431)}
    router = APIRouter(prefix="/v1", tags=["models"], responses=known)

    @router.get("/models")
    async def models() -> list[ModelAnswer]:
        """List the models that can be asked for."""
        return [
            _answer(name, card, default=name == service.default)
            for name, card in sorted(service.cards.items())
        ]

    return router


def health_routes(service: Service) -> APIRouter:
    """Return the routes for whoever watches the server."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    @router.head("/healthz", include_in_schema=False)
    async def healthz() -> HealthAnswer:
        """Say that the server runs."""
        return HealthAnswer(status="ok")

    @router.get("/readyz", responses={503: {"model": HealthAnswer, "description": "It is closing"}})
    @router.head("/readyz", include_in_schema=False)
    async def readyz() -> HealthAnswer:
        """Say whether the server takes new work."""
        if not service.ready:
            return JSONResponse({"status": "closing"}, 503)  # type: ignore[return-value]
        return HealthAnswer(status="ready")

    @router.get(
        "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}
    )
    async def metrics() -> Response:
        """Return counters for Prometheus."""
        service.counters.waiting.set(len(service.pool))
        for status, count in service.jobs.counts().items():
            service.counters.videos.labels(status).set(count)
        return Response(generate_latest(service.counters.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(name: str, card: ModelCard, *, default: bool) -> ModelAnswer:
    return ModelAnswer(
        name=name,
        description=card.description,
        expressions=list(card.heads[0].expressions),
        default=default,
        parameters=card.parameters,
        macs=card.macs,
        licence=card.licence,
        doubt=DoubtAnswer.of(card),
    )
