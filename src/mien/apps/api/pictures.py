"""`POST /v1/analyze`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Query, Request

from mien.apps.api.answers import FaceAnswer, PictureAnswer, PicturesAnswer
from mien.apps.api.pool import Task
from mien.apps.api.received import BODY, received
from mien.apps.api.refusals import REFUSALS, RefusedError
from mien.apps.api.service import Service
from mien.errors import MienError
from mien.labels import LABEL_SETS, OWN, LabelSet, label_set, parse_expression

Model = Query(None, description="A model of `/v1/models`; the server's own by default.")

Labels = Query(
    None,
    max_length=100,
    description=f"Read in these expressions only, their probabilities renormalised: a label set"
    f" ({', '.join(f'`{name}`' for name in LABEL_SETS)}) or expressions joined by `{OWN}`; all of"
    f" the model's by default.",
)


def picture_routes(service: Service) -> APIRouter:
    """Return the route that reads pictures."""
    router = APIRouter(prefix="/v1", tags=["pictures"], responses=REFUSALS)

    @router.post("/analyze", openapi_extra=BODY)
    async def analyze(
        request: Request, model: str | None = Model, labels: str | None = Labels
    ) -> PicturesAnswer:
        """Read the expression on every face of one or more pictures.

        A picture that cannot be read has the status `error` and says why; the others are read.
        If none can be read, the answer is 422.
        """
        analyzer = await service.analyzer(model)
        wanted = analyzer.labels if labels is None else _label_set(labels)
        wanted.positions_in(analyzer.labels)
        tasks = [Task(analyzer, one) for one in await received(request, service.settings)]
        results = await _read(service, wanted, tasks)
        if all(result.status == "error" for result in results):
            raise RefusedError(422, results[0].message)
        card = analyzer.classifier.card
        expressions = list(wanted.expressions)
        return PicturesAnswer(model=card.name, expressions=expressions, results=results)

    return router


def _label_set(text: str) -> LabelSet:
    # In an address a bare "+" means a space.
    text = text.replace(" ", OWN)
    if _is_expression(text):
        raise RefusedError(
            422,
            "labels must be a label set or two or more expressions, as in happiness+sadness."
            f" Got {text!r} alone.",
        )
    return label_set(text)


def _is_expression(text: str) -> bool:
    try:
        return bool(parse_expression(text))
    except MienError:
        return False


async def _read(service: Service, wanted: LabelSet, tasks: Sequence[Task]) -> list[PictureAnswer]:
    try:
        service.pool.add(tasks)
        together = asyncio.gather(*(_answer(task, wanted) for task in tasks))
        results = await asyncio.wait_for(together, service.settings.seconds)
    except asyncio.TimeoutError:
        raise RefusedError(
            503, "Reading the pictures took too long: send fewer at once.", 5
        ) from None
    finally:
        for task in tasks:  # those that nobody waits for any more
            task.give_up()
    for result in results:
        service.counters.pictures.labels(result.status).inc()
        service.counters.faces.inc(len(result.faces))
    return list(results)


async def _answer(task: Task, wanted: LabelSet) -> PictureAnswer:
    name = task.picture.name
    try:
        found = await asyncio.wrap_future(task.result)
        readings = [r if r.labels == wanted else r.relabelled(wanted) for r in found.readings]
    except MienError as error:
        return PictureAnswer(name=name, status="error", message=str(error))
    width, height = found.size
    return PictureAnswer(
        name=name,
        status="ok" if readings else "no face",
        width=width,
        height=height,
        faces=[FaceAnswer.of(reading) for reading in readings],
    )
