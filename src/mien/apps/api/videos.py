"""`/v1/videos`: upload, progress, results, cancel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from mien.apps.api.answers import JobAnswer, RefusalAnswer
from mien.apps.api.job import RESULTS, Job
from mien.apps.api.pictures import Model
from mien.apps.api.received_video import BODY, received_video
from mien.apps.api.refusals import REFUSALS, Responses
from mien.apps.api.service import Service

CHUNK = 2**18
"""Bytes of a result that are read and sent at once."""

NOT_YET: dict[str, Any] = {"model": RefusalAnswer, "description": "It was not read to its end"}

RESULT: dict[str, Any] = {
    "description": "The file",
    "content": {result.kind: {"schema": {"type": "string"}} for result in RESULTS.values()},
}

Format = Annotated[
    Literal["csv", "jsonl", "video", "timeline"],
    Query(
        alias="format",
        description="`csv` or `jsonl`: a row for each face of each frame; `video`: the marked copy,"
        " an MP4; `timeline`: a page, HTML.",
    ),
]

Id = Annotated[str, PathParameter(alias="id", description="From the answer to the upload.")]


def video_routes(service: Service) -> APIRouter:
    """Return the routes for videos."""
    router = APIRouter(prefix="/v1/videos", tags=["videos"])
    known: Responses = {status: REFUSALS[status] for status in (401, 403, 404, 422, 431)}

    @router.post("", status_code=202, openapi_extra=BODY, responses=REFUSALS)
    async def upload(request: Request, model: str | None = Model) -> JobAnswer:
        """Let a video be read; ask for its progress by the id in the answer."""
        analyzer = await service.analyzer(model)
        with service.jobs.upload() as folder:
            name, path = await received_video(request, folder, service.settings)
            job = Job(analyzer, folder, path, name)
            service.jobs.add(job)
        return answer(job)

    @router.get("/{id}", responses=known)
    async def progress(job: Id) -> JobAnswer:
        """Say how far a video is."""
        return answer(service.jobs[job])

    @router.get(
        "/{id}/result",
        response_class=StreamingResponse,
        responses={**known, 200: RESULT, 409: NOT_YET},
    )
    async def result(job: Id, form: Format = "csv") -> StreamingResponse:
        """Return what was read: rows as CSV or JSON lines, the marked video, or a timeline page."""
        found = service.jobs[job]
        return _sent(found.result(form), found.disposition(form), RESULTS[form].kind)

    @router.delete("/{id}", responses=known)
    async def cancel(job: Id) -> JobAnswer:
        """Stop reading a video, and delete everything of it and its results: then it is unknown.

        The status in the answer is `cancelled`, or `deleted` if it had ended.
        """
        return answer(await run_in_threadpool(service.jobs.cancel, job))

    return router


def answer(job: Job) -> JobAnswer:
    """Return what the API says of a job."""
    return JobAnswer(
        id=job.id,
        status=job.status,
        progress=round(job.progress, 4),
        frames=job.frames,
        faces=job.faces,
        seconds_read=job.seconds_read,
        message=job.message,
    )


def _sent(file: BinaryIO, disposition: str, kind: str) -> StreamingResponse:
    headers = {
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Content-Disposition": disposition,
    }
    return StreamingResponse(_parts(file), media_type=kind, headers=headers)


def _parts(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while part := file.read(CHUNK):
            yield part
