"""`POST /v1/analyze`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Query, Request

from mien.apps.api.answers import FaceAnswer, PictureAnswer, PicturesAnswer
from mien.apps.api.pool import Task
from mien.apps.api.received import BODY, Received, received
from mien.apps.api.refusals import REFUSALS, RefusedError
from mien.apps.api.service import Service
from mien.errors import MienError
from mien.inference.analyzer import Analyzer

Model = Query(None, description="A model of `/v1/models`; the server's own by default.")


def picture_routes(service: Service) -> APIRouter:
    """Return the route that reads pictures."""
    router = APIRouter(prefix="/v1", tags=["pictures"], responses=REFUSALS)

    @router.post("/analyze", openapi_extra=BODY)
    async def analyze(request: Request, model: str | None = Model) -> PicturesAnswer:
        """Read the expression on every face of one or more pictures.

        A picture that cannot be read has the status `error` and says why; the others are read.
        If none can be read, the answer is 422.
        """
        analyzer = await service.analyzer(model)
        pictures = await received(request, service.settings)
        results = await _read(service, analyzer, pictures)
        if all(result.status == "error" for result in results):
            raise RefusedError(422, results[0].message)
        names = list(analyzer.labels.expressions)
        card = analyzer.classifier.card
        return PicturesAnswer(model=card.name, expressions=names, results=results)

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
        for task in tasks:  # those that nobody waits for any more
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
