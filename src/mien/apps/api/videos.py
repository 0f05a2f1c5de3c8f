"""`/v1/videos`: upload, progress, results, cancel."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from mien.apps.api.answers import JobAnswer, RefusalAnswer
from mien.apps.api.jobs import RESULTS, Job
from mien.apps.api.pictures import REFUSALS, Model
from mien.apps.api.received import client_name
from mien.apps.api.refusals import RefusedError
from mien.apps.api.service import Service

FIELD = "file"

UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
"""What the name of a file here may not hold; separators of paths are among it."""

LONGEST_FILE = 80

NOT_YET: dict[str, Any] = {"model": RefusalAnswer, "description": "It was not read to its end"}

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}

Format = Annotated[Literal["csv", "jsonl", "video", "timeline"], Query(alias="format")]

Id = Annotated[str, PathParameter(alias="id", description="From the answer to the upload.")]


def video_routes(service: Service) -> APIRouter:
    """Return the routes for videos."""
    router = APIRouter(prefix="/v1/videos", tags=["videos"], responses=REFUSALS)  # type: ignore[arg-type]

    @router.post("", status_code=202, openapi_extra=BODY)
    async def upload(request: Request, model: str | None = Model) -> JobAnswer:
        """Let a video be read; ask for its progress by the id in the answer."""
        analyzer = service.analyzer(model)
        folder = service.jobs.folder()
        try:
            name, video = await _stored(request, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        job = Job(analyzer, folder, video, name)
        service.jobs.add(job)
        return answer(job)

    @router.get("/{id}")
    async def progress(job: Id) -> JobAnswer:
        """Say how far a video is."""
        return answer(service.jobs[job])

    @router.get("/{id}/result", response_class=FileResponse, responses={409: NOT_YET})
    async def result(job: Id, form: Format = "csv") -> FileResponse:
        """Return what was read: rows as CSV or JSON lines, the marked video, or a timeline page."""
        path = service.jobs[job].result(form)
        return FileResponse(path, media_type=RESULTS[form][1], filename=path.name)

    @router.delete("/{id}")
    async def cancel(job: Id) -> JobAnswer:
        """Stop reading a video and delete everything of it."""
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


async def _stored(request: Request, folder: Path) -> tuple[str, Path]:
    """Put the upload into a folder under a name of our own; return the client's name for it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise RefusedError(415, f"The body must be multipart/form-data with a field {FIELD!r}.")
    try:
        form = await request.form(max_files=1, max_fields=0)
    except (MultiPartException, KeyError, ValueError) as error:
        raise RefusedError(400, "The form cannot be read.") from error
    try:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise RefusedError(422, f"The form must hold a video in the field {FIELD!r}. Got none.")
        name = client_name(file.filename) or "video"
        video = folder / (UNSAFE.sub("_", name)[-LONGEST_FILE:].lstrip(".") or "video")
        await run_in_threadpool(_copy, file, video)
        return name, video
    finally:
        await form.close()


def _copy(file: UploadFile, path: Path) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(file.file, target)
