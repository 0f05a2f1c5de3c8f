"""`POST /v1/explain`."""

from __future__ import annotations

import base64

import cv2
from fastapi import APIRouter, Query, Request

from mien.apps.api.answers import ExplanationAnswer, RegionAnswer
from mien.apps.api.pictures import Model
from mien.apps.api.received import BODY, Received, received
from mien.apps.api.refusals import REFUSALS, RefusedError
from mien.apps.api.service import Service
from mien.explanation.explainer import Explainer
from mien.explanation.landmarks import in_crop
from mien.explanation.output import Output
from mien.explanation.overlay import overlay
from mien.explanation.regions import REGIONS
from mien.inference.analyzer import Analyzer
from mien.inference.face import Face
from mien.preprocess import Image

SIDE = 240
"""Pixels of an overlay's side."""


def explain_routes(service: Service) -> APIRouter:
    """Return the route that explains a face."""
    router = APIRouter(prefix="/v1", tags=["pictures"], responses=REFUSALS)

    @router.post("/explain", openapi_extra=BODY)
    async def explain(
        request: Request,
        model: str | None = Model,
        face: int = Query(0, ge=0, description="The face's number; 0 is the largest."),
        expression: str | None = Query(None, description="The most probable one by default."),
    ) -> ExplanationAnswer:
        """Show where in a face the model sees an expression, by covering parts of it."""
        analyzer = await service.analyzer(model)
        (picture, *others) = await received(request, service.settings)
        if others:
            raise RefusedError(422, f"One picture is explained at a time. Got {1 + len(others)}.")

        def work() -> ExplanationAnswer:
            with service.decoder.decoded(picture) as image:
                chosen = _chosen(analyzer, image, picture, face)
                return explanation(analyzer, image, chosen, expression)

        try:
            answer = await service.explaining.do(work)
            service.counters.faces.inc()
            return answer
        finally:
            picture.take()  # work that was cancelled is not forgotten before its turn

    return router


def explanation(
    analyzer: Analyzer, picture: Image, face: Face, expression: str | None
) -> ExplanationAnswer:
    """Explain a face of a picture by occlusion and by region.

    Args:
        analyzer: Reads it.
        picture: uint8 (H, W, 3) in RGB order.
        face: Where it is.
        expression: What is explained; None for the most probable expression.

    Raises:
        MienError: If the model has no such expression.
    """
    output = Output.of(analyzer.classifier)
    crop = output.preprocess.crop(picture, face.square)
    explainer = Explainer(output)
    (one,) = explainer.explain(crop, expression)
    places = in_crop(face.landmarks, face.square) if face.landmarks else None
    regions = explainer.regions(crop, expression, places)
    drawn = cv2.cvtColor(overlay(crop, one.heatmap, SIDE), cv2.COLOR_RGB2BGR)
    return ExplanationAnswer(
        expression=one.expression,
        probability=one.probability,
        regions=[
            RegionAnswer(region=name, contribution=float(value))
            for name, value in zip(REGIONS, regions.shapley)
        ],
        overlay=base64.b64encode(cv2.imencode(".png", drawn)[1].tobytes()).decode(),
    )


def _chosen(analyzer: Analyzer, image: Image, picture: Received, number: int) -> Face:
    found = analyzer.faces(image)
    if number >= len(found):
        raise RefusedError(422, f"{picture.name} has no face {number}. Got {len(found)} faces.")
    return found[number]
