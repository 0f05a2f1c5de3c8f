"""A server whose application is reached under a path."""

from __future__ import annotations

import httpx
import uvicorn
from fastapi import FastAPI

from apps.api.running import Listening
from mien.apps.api.app import create_app
from mien.apps.api.settings import ServerSettings


class Under(Listening):
    """A server that is reached under a path, by mounting it or by a root path."""

    def __init__(self, mounted: bool, **settings) -> None:
        own = create_app(ServerSettings(workers=1, **settings))
        self.service, self.start = own.state.service, "/mien" if mounted else ""
        app = own
        if mounted:
            app = FastAPI()
            app.mount("/mien", own)
        root = "" if mounted else "/mien"
        super().__init__(uvicorn.Server(uvicorn.Config(app, log_level="warning", root_path=root)))

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.service.close()

    def ask(self, method: str, path: str, **more) -> httpx.Response:
        return self.client.request(method, self.start + path, **more)
