"""`POST /v1/analyze` and `POST /v1/explain`."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Sequence

import cv2
from fastapi import APIRouter, Query, Request

from mien.apps.api.answers import (
    ExplanationAnswer,
    FaceAnswer,
    PictureAnswer,
    PicturesAnswer,
    RefusalAnswer,
    RegionAnswer,
)
from mien.apps.api.pool import Task
from mien.apps.api.received import BODY, Received, received
from mien.apps.api.refusals import RefusedError
from mien.apps.api.service import Service
from mien.errors import MienError
from mien.inference.analyzer import Analyzer
from mien.inference.face import by_size
from mien.inference.pictures import decode_picture

SIDE = 240
"""Pixels of an overlay's side."""

REFUSALS = {
    status: {"model": RefusalAnswer, "description": why}
    for status, why in {
        400: "The form cannot be read",
        401: "The key is missing or wrong",
        404: "No such model",
        408: "The body came too slowly",
        413: "The body or the number of pictures is too large",
        415: "Another content type",
        422: "No picture could be read",
        429: "Too much is waiting; see Retry-After",
        503: "Reading took too long",
    }.items()
}

Model = Query(None, description="A model of `/v1/models`; the server's own by default.")


def picture_routes(service: Service) -> APIRouter:
    """Return the routes for pictures."""
    router = APIRouter(prefix="/v1", tags=["pictures"], responses=REFUSALS)  # type: ignore[arg-type]

    @router.post("/analyze", openapi_extra=BODY)
    async def analyze(request: Request, model: str | None = Model) -> PicturesAnswer:
        """Read the expression on every face of one or more pictures.

        A picture that cannot be read has the status `error` and says why; the others are read.
        """
        analyzer = service.analyzer(model)
        pictures = await received(request, service.settings)
        results = await _read(service, analyzer, pictures)
        if all(result.status == "error" for result in results):
            raise RefusedError(422, results[0].message)
        names = list(analyzer.labels.expressions)
        card = analyzer.classifier.card
        return PicturesAnswer(model=card.name, expressions=names, results=results)

    @router.post("/explain", openapi_extra=BODY)
    async def explain(
        request: Request,
        model: str | None = Model,
        face: int = Query(0, ge=0, description="The face's number; 0 is the largest."),
        expression: str | None = Query(None, description="The most probable one by default."),
    ) -> ExplanationAnswer:
        """Show where in a face the model sees an expression, by covering parts of it."""
        analyzer = service.analyzer(model)
        (picture, *others) = await received(request, service.settings)
        if others:
            raise RefusedError(422, f"One picture is explained at a time. Got {1 + len(others)}.")
        return await _explained(service, analyzer, picture, face, expression)

    return router


async def _read(
    service: Service, analyzer: Analyzer, pictures: Sequence[Received]
) -> list[PictureAnswer]:
    tasks = [Task(analyzer, picture.content, picture.name) for picture in pictures]
    service.pool.add(tasks)
    try:
        together = asyncio.gather(*(_answer(task) for task in tasks))
        results = await asyncio.wait_for(together, service.settings.seconds)
    except asyncio.TimeoutError:
        raise RefusedError(
            503, "Reading the pictures took too long: send fewer at once.", 5
        ) from None
    finally:
        for task in tasks:  # of a client that has gone, or that waited too long
            task.result.cancel()
    for result in results:
        service.counters.pictures.labels(result.status).inc()
        service.counters.faces.inc(len(result.faces))
    return list(results)


async def _answer(task: Task) -> PictureAnswer:
    try:
        found = await asyncio.wrap_future(task.result)
    except MienError as error:
        return PictureAnswer(name=task.name, status="error", message=str(error))
    width, height = found.size
    return PictureAnswer(
        name=task.name,
        status="ok" if found.readings else "no face",
        width=width,
        height=height,
        faces=[FaceAnswer.of(reading) for reading in found.readings],
    )


async def _explained(
    service: Service, analyzer: Analyzer, picture: Received, face: int, expression: str | None
) -> ExplanationAnswer:
    if service.explaining._work_queue.qsize() >= service.settings.workers:
        raise RefusedError(429, "Too many faces wait to be explained: try again soon.", 2)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(
        service.explaining,
        lambda: explanation(analyzer, picture, face, expression, service.settings.pixels),
    )


def explanation(
    analyzer: Analyzer, picture: Received, face: int, expression: str | None, pixels: int
) -> ExplanationAnswer:
    """Explain a face of a picture by occlusion and by region.

    Raises:
        ImageError: If the picture cannot be read.
        RefusedError: If it has no such face.
        MienError: If the model has no such expression.
    """
    from mien.explanation.explainer import Explainer
    from mien.explanation.landmarks import in_crop
    from mien.explanation.output import Output
    from mien.explanation.overlay import overlay
    from mien.explanation.regions import REGIONS

    image = decode_picture(io.BytesIO(picture.content), picture.name, pixels)
    found = by_size(analyzer.new_detector().detect(image))
    if face >= len(found):
        raise RefusedError(422, f"{picture.name} must show face {face}. Got {len(found)} faces.")
    output = Output.of(analyzer.classifier)
    chosen = found[face]
    crop = output.preprocess.crop(image, chosen.square)
    places = in_crop(chosen.landmarks, chosen.square) if chosen.landmarks else None
    explainer = Explainer(output)
    (one,) = explainer.explain(crop, expression)
    regions = explainer.regions(crop, expression, places)
    drawn = cv2.cvtColor(overlay(crop, one.heatmap, SIDE), cv2.COLOR_RGB2BGR)
    return ExplanationAnswer(
        expression=one.expression,
        probability=one.probability,
        face=face,
        regions=[
            RegionAnswer(region=name, contribution=float(value))
            for name, value in zip(REGIONS, regions.shapley)
        ],
        overlay=base64.b64encode(cv2.imencode(".png", drawn)[1].tobytes()).decode(),
    )
