"""A server whose application is reached under a path."""

from __future__ import annotations

import threading

import httpx
import uvicorn
from fastapi import FastAPI

from apps.api.running import PATIENCE, wait
from mien.apps.api.app import create_app
from mien.apps.api.serving import listen
from mien.apps.api.settings import ServerSettings


class Under:
    """A server that is reached under a path, by mounting it or by a root path."""

    def __init__(self, mounted: bool, **settings) -> None:
        own = create_app(ServerSettings(workers=1, **settings))
        self.service, self.start = own.state.service, "/mien" if mounted else ""
        app = own
        if mounted:
            app = FastAPI()
            app.mount("/mien", own)
        root = "" if mounted else "/mien"
        config = uvicorn.Config(app, log_level="warning", root_path=root)
        self._server, self._listening = uvicorn.Server(config), listen("127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False)

    def __enter__(self) -> Under:
        self._thread.start()
        wait(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self.service.close()

    def ask(self, method: str, path: str, **more) -> httpx.Response:
        return self.client.request(method, self.start + path, **more)
