"""A real server on a free port of this machine, in a thread of the tests' process."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import PIL.Image
import pytest
import uvicorn

from mien.apps.api.app import create_app
from mien.apps.api.service import Service
from mien.apps.api.serving import GracefulServer, listen
from mien.apps.api.settings import ServerSettings

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 60.0


def warned(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what was logged of things that went wrong; some libraries log what goes well."""
    return [record for record in caplog.records if record.levelno >= logging.WARNING]


class Listening:
    """A server that answers until its block ends.

    Attributes:
        client: Asks it.
        port: Where it listens.
    """

    def __init__(self, server: uvicorn.Server) -> None:
        self._listening = listen("127.0.0.1", 0)
        self.port = self._listening.getsockname()[1]
        self._server = server
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],))
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False)

    def __enter__(self) -> Self:
        self._thread.start()
        wait(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


class Running(Listening):
    """The application as `mien serve` runs it.

    Attributes:
        service: What its routes share.
    """

    def __init__(self, **settings) -> None:
        settings.setdefault("workers", 2)
        app = create_app(ServerSettings(**settings))
        self.service: Service = app.state.service
        super().__init__(GracefulServer(app))

    def analyze(self, *contents: bytes, **query) -> httpx.Response:
        """Send pictures as a browser does."""
        files = [("files", (f"{n}.jpg", content)) for n, content in enumerate(contents)]
        return self.client.post("/v1/analyze", files=files, params=query)

    def upload(self, path: Path, name: str | None = None) -> httpx.Response:
        """Send a video."""
        with path.open("rb") as file:
            return self.client.post("/v1/videos", files={"file": (name or path.name, file)})

    def job(self, id_: str) -> dict:
        return self.client.get(f"/v1/videos/{id_}").json()

    def ended(self, id_: str) -> dict:
        """Wait for a video to end."""
        wait(lambda: self.job(id_)["status"] not in ("waiting", "running"))
        return self.job(id_)

    @contextlib.contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """A bare connection, for what no client library would send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            yield connection


class Occupied:
    """Stands where an analyzer would, and holds a thread of the pool until it is let go."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def new_detector(self) -> object:
        self.free.wait(PATIENCE)
        raise RuntimeError("nothing to read")


def wait(until: Callable[[], object]) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """Read a whole answer, to the end of the connection; returns its status and content."""
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            content += part
    head, _, body = content.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def encoded(picture, form: str = "PNG", **options) -> bytes:
    """A picture as a file's bytes; uint8 RGB or a Pillow image."""
    if not isinstance(picture, PIL.Image.Image):
        picture = PIL.Image.fromarray(picture)
    content = io.BytesIO()
    picture.save(content, form, **options)
    return content.getvalue()
