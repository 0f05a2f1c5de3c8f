"""The pictures of a request, from multipart fields or base64 in JSON; none touches the disk."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import ServerSettings

# It would print a warning about a form that is wrong, without saying whose; its client is told.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

FIELD = "files"

SPOOLED = ("spool_max_size", "max_file_size")
"""What Starlette calls the bytes above which a file goes to the disk: since 0.46, and before."""

LONGEST_NAME = 200

KINDS = "multipart/form-data with fields `files`, or application/json"

SIGNS = b"[{,:"
"""What begins or parts values in JSON; base64 has none of them, and the address before it two."""

PLAIN_LETTERS = str.maketrans("-_", "+/")
"""Base64 as addresses have it, by its usual letters."""

SIGNS_OF_A_PICTURE = 64
"""So many of them may stand for a picture, those in its name included."""


class PictureBody(BaseModel):
    """A picture in a JSON request."""

    model_config = ConfigDict(extra="forbid")

    data: str
    name: str = ""


class PicturesBody(BaseModel):
    """A JSON request."""

    model_config = ConfigDict(extra="forbid")

    images: list[PictureBody]


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {
                        FIELD: {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["images"],
                    "additionalProperties": False,
                    "properties": {
                        "images": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["data"],
                                "additionalProperties": False,
                                "properties": {
                                    "data": {"type": "string", "format": "byte"},
                                    "name": {"type": "string"},
                                },
                            },
                        }
                    },
                }
            },
        },
    }
}
"""How OpenAPI describes such a request."""


@dataclass
class Received:
    """A picture that a client sent.

    Args:
        name: What the client calls it; never taken for a path.
        content: The file's bytes.
        problem: Why there are none, in a sentence; "" where they came.
    """

    name: str
    content: bytes
    problem: str = ""

    def take(self) -> bytes:
        """Return the file's bytes, and hold them no longer: who waits or fails must not either."""
        content, self.content = self.content, b""
        return content


async def received(request: Request, settings: ServerSettings) -> list[Received]:
    """Return the pictures of a request, in its order.

    Raises:
        RefusedError: If there are none or too many, or the body is not what its type says.
    """
    kind = content_kind(request)
    if kind == "multipart/form-data":
        pictures = await _from_form(request, settings)
    elif kind == "application/json":
        pictures = await run_in_threadpool(_from_json, await request.body(), settings)
    else:
        raise RefusedError(415, f"The body must be {KINDS}. Got {kind or 'no content type'!r}.")
    if not pictures:
        raise RefusedError(422, f"The request must hold one picture or more: {KINDS}. Got none.")
    return pictures


def content_kind(request: Request) -> str:
    """Return what a request says that its body is, without parameters; "" for nothing."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _from_form(request: Request, settings: ServerSettings) -> list[Received]:
    # However large they are, they stay in memory.
    most = settings.pictures
    async with parsed_form(request, FIELD, most, settings.picture_bytes) as form:
        other = next((field for field, _ in form.multi_items() if field != FIELD), None)
        if other is not None:
            raise RefusedError(422, f"Pictures must be in fields {FIELD!r}. Got {other[:50]!r}.")
        return [
            Received(_name(part.filename, number), await part.read())
            for number, (_, part) in enumerate(form.multi_items())
            if isinstance(part, UploadFile)
        ]


@asynccontextmanager
async def parsed_form(
    request: Request, field: str, files: int, in_memory: int
) -> AsyncIterator[FormData]:
    """Parse a form that holds files only; they are gone when the block ends.

    Args:
        request: What holds it.
        field: What the files are in.
        files: How many there may be.
        in_memory: Bytes of a file above which it goes to the disk, without a name.

    Raises:
        RefusedError: If there are more files or other fields, or the body is no form.
    """
    parser = MultiPartParser(request.headers, request.stream(), max_files=files, max_fields=0)
    for bound in SPOOLED:
        setattr(parser, bound, in_memory)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise _unreadable(getattr(error, "message", "its boundaries are wrong"), field) from error
    try:
        yield form
    finally:
        await form.close()


def _unreadable(reason: str, field: str) -> RefusedError:
    if reason.startswith("Too many fields"):
        return RefusedError(
            422,
            f"The form may hold files in {field!r} only, each with a filename: model, labels and"
            " the like go into the address, as in ?model=mien-base. Got a part without a filename.",
        )
    status = 413 if reason.startswith("Too many files") else 400
    return RefusedError(status, f"The form cannot be read: {reason.rstrip('.')}.")


def _from_json(content: bytes, settings: ServerSettings) -> list[Received]:
    most = settings.pictures
    # Whoever parses it makes a value, or a complaint, of each sign: a thousand times its size.
    if sum(content.count(sign) for sign in SIGNS) > SIGNS_OF_A_PICTURE * (most + 1):
        raise RefusedError(413, f"A request may hold {most} pictures at most. Got more values.")
    try:
        body = PicturesBody.model_validate_json(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        where = client_name(".".join(map(str, found["loc"]))) or "the whole"
        sentence = f"The JSON must be {{'images': [{{'data': …}}]}}; {where}: {found['msg']}."
        raise RefusedError(422, sentence) from error
    if len(body.images) > most:
        raise RefusedError(
            413, f"A request may hold {most} pictures at most. Got {len(body.images)}."
        )
    return [
        _from_base64(image.data, _name(image.name, number))
        for number, image in enumerate(body.images)
    ]


def _from_base64(text: str, name: str) -> Received:
    """Return a picture that was written as base64, as a page or a program may write it.

    It may stand in lines (RFC 2045), in the letters for addresses (RFC 4648), without padding, and
    behind `data:image/…;base64,`.
    """
    address, comma, rest = text.partition(",")
    if comma and address.startswith("data:image/") and address.endswith(";base64"):
        text = rest
    text = "".join(text.split()).translate(PLAIN_LETTERS).rstrip("=")
    try:
        return Received(name, base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError) as error:
        return Received(name, b"", f"{name} is not base64: {error}.")


def client_name(given: str | None) -> str:
    """Return what a client calls something, printable and short; never to be used as a path."""
    return "".join(c if c.isprintable() else "?" for c in (given or "")[:LONGEST_NAME])


def _name(given: str | None, number: int) -> str:
    return client_name(given) or f"picture {number + 1}"
