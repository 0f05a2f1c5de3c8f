"""Where the files of a form lie until they are read."""

from __future__ import annotations

import pytest
from fastapi import Request

from apps.api import in_a_loop
from mien.apps.api.received import parsed_form
from mien.apps.api.settings import MEGABYTE

HEADERS = [(b"content-type", b"multipart/form-data; boundary=b")]


def on_disk(length: int, in_memory: int) -> bool:
    """Whether a file of that length was written to the disk."""
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    body = head + b"1" * length + b"\r\n--b--\r\n"

    async def receive():
        return {"type": "http.request", "body": body}

    async def parse():
        request = Request({"type": "http", "method": "POST", "headers": HEADERS}, receive)
        async with parsed_form(request, "files", 1, in_memory) as form:
            file = form["files"].file
            assert len(file.read()) == length
            return file._rolled

    return in_a_loop.run(parse())


@pytest.mark.parametrize(
    ("megabytes", "in_memory", "wanted"), [(3, 64, False), (3, 1, True), (1, 3, False)]
)
def test_a_picture_stays_in_memory_and_a_video_does_not(megabytes, in_memory, wanted):
    assert on_disk(megabytes * MEGABYTE, in_memory * MEGABYTE) is wanted
