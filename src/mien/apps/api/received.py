"""The pictures of a request, from multipart fields or base64 in JSON; none touches the disk."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mien.apps.api.refusals import RefusedError
from mien.apps.api.scanner import JsonMistakeError, JsonScanner
from mien.apps.api.settings import ServerSettings

# It would print a warning about a form that is wrong, without saying whose; its client is told.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

FIELD = "files"

LONGEST_NAME = 200

KINDS = "multipart/form-data with fields `files`, or application/json"


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


@dataclass(frozen=True)
class Received:
    """A picture that a client sent.

    Args:
        name: What the client calls it; never taken for a path.
        content: The file's bytes.
    """

    name: str
    content: bytes


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
    async with parsed_form(request, settings.pictures, settings.picture_bytes) as form:
        other = next((field for field, _ in form.multi_items() if field != FIELD), None)
        if other is not None:
            raise RefusedError(422, f"Pictures must be in fields {FIELD!r}. Got {other[:50]!r}.")
        return [
            Received(_name(part.filename, number), await part.read())
            for number, (_, part) in enumerate(form.multi_items())
            if isinstance(part, UploadFile)
        ]


@asynccontextmanager
async def parsed_form(request: Request, files: int, in_memory: int) -> AsyncIterator[FormData]:
    """Parse a form that holds files only; they are gone when the block ends.

    Args:
        request: What holds it.
        files: How many there may be.
        in_memory: Bytes of a file above which it goes to the disk, without a name.

    Raises:
        RefusedError: If there are more files or other fields, or the body is no form.
    """
    parser = MultiPartParser(request.headers, request.stream(), max_files=files, max_fields=0)
    parser.spool_max_size = in_memory
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        reason = getattr(error, "message", "its boundaries are wrong").rstrip(".")
        status = 413 if reason.startswith("Too many files") else 400
        raise RefusedError(status, f"The form cannot be read: {reason}.") from error
    try:
        yield form
    finally:
        await form.close()


def _from_json(content: bytes, settings: ServerSettings) -> list[Received]:
    try:
        return list(_json_pictures(JsonScanner(content.decode()), settings.pictures))
    except UnicodeDecodeError as error:
        found = f"Invalid JSON: it must be UTF-8, and byte {error.start + 1} is not"
        raise RefusedError(422, f"The whole body: {found}.") from error
    except JsonMistakeError as mistake:
        where = client_name(mistake.place) or "the whole"
        sentence = f"The JSON must be {{'images': [{{'data': …}}]}}; {where}: {mistake.found}."
        raise RefusedError(422, sentence) from mistake


def _json_pictures(scanner: JsonScanner, most: int) -> Iterator[Received]:
    found = False
    for _ in scanner.members(("images",)):
        found = True
        for number in scanner.items():
            if number == most:
                raise RefusedError(413, f"A request may hold {most} pictures at most. Got more.")
            yield _json_picture(scanner, number)
    if not found:
        raise scanner.missing("images")
    scanner.end()


def _json_picture(scanner: JsonScanner, number: int) -> Received:
    fields = {name: scanner.string() for name in scanner.members(("data", "name"))}
    if "data" not in fields:
        raise scanner.missing("data")
    return Received(_name(fields.get("name"), number), _decoded(fields["data"], number))


def _decoded(text: str, number: int) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError(422, f"images.{number}.data must be base64: {error}.") from error


def client_name(given: str | None) -> str:
    """Return what a client calls something, printable and short; never to be used as a path."""
    return "".join(c if c.isprintable() else "?" for c in (given or "")[:LONGEST_NAME])


def _name(given: str | None, number: int) -> str:
    return client_name(given) or f"picture {number + 1}"
