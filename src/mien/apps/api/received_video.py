"""The video of a request: put into a folder of its own, and looked at before it is accepted."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from mien.apps.api.received import client_name, content_kind, parsed_form
from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import MEGABYTE, ServerSettings
from mien.apps.api.video_limits import VideoLimits
from mien.errors import VideoError
from mien.inference.video.container import open_video

FIELD = "file"

SAFELY = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,matroska,avi,gif,mpegts,asf,ogg",
}
"""What FFmpeg may open. Play lists and the like, which it would read as videos, too, name other
files and addresses; Flash video and MPEG's program streams do not say before their first frame is
decoded what they hold, so that its size could not be bounded."""

KINDS = "MP4, MOV, WebM, MKV, AVI, GIF, MPEG-TS, WMV and Ogg"
"""What users call these formats."""

UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
"""What the name of a file here may not hold; separators of paths are among it."""

LONGEST_FILE = 80

UPLOAD = "upload"
"""The folder of the upload alone, which may be called as one of its results."""

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
"""How OpenAPI describes such a request."""


async def received_video(
    request: Request, folder: Path, settings: ServerSettings
) -> tuple[str, Path]:
    """Put a request's video into a folder.

    Returns:
        What the client calls it, and where it is, under a name of our own.

    Raises:
        RefusedError: If there is none, or the body is not what its type says.
        VideoError: If it cannot be opened as a video, or says that it is too long or too large.
    """
    if content_kind(request) != "multipart/form-data":
        raise RefusedError(415, f"The body must be multipart/form-data with a field {FIELD!r}.")
    async with parsed_form(request, FIELD, 1, MEGABYTE) as form:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise RefusedError(422, f"The form must hold a video in the field {FIELD!r}. Got none.")
        name = client_name(file.filename) or "video"
        path = folder / UPLOAD / (UNSAFE.sub("_", name)[-LONGEST_FILE:].lstrip(".") or "video")
        await run_in_threadpool(_copy, file, path)
    await run_in_threadpool(_check, path, name, settings)
    return name, path


def _copy(file: UploadFile, path: Path) -> None:
    path.parent.mkdir()
    with path.open("wb") as target:
        shutil.copyfileobj(file.file, target)


def _check(path: Path, name: str, settings: ServerSettings) -> None:
    limits = VideoLimits(settings)
    try:
        with open_video(path, SAFELY, most_pixels=limits.most_pixels) as container:
            limits.check_file(container)
    except VideoError as error:
        sentence = str(error).replace(str(path), name)
        # FFmpeg's word for what it may not open.
        kinds = f"it is none of {KINDS}"
        raise VideoError(sentence.replace("Invalid argument", kinds)) from error
