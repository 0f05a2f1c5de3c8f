from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from apps.api.clip import write_camera, write_clip
from apps.api.running import PATIENCE, Running, wait
from apps.web.looks import LOOKS

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    reason = f"no browser: none of {', '.join(NAMES)} is installed"
    if os.environ.get("MIEN_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shots(pytestconfig) -> Path:
    """The folder of the screenshots, which stays when the tests are done."""
    return pytestconfig.cache.mkdir("screenshots")


@pytest.fixture(scope="session")
def browser(chromium, tmp_path_factory, portrait):
    camera = write_camera(tmp_path_factory.mktemp("camera") / "camera.mjpeg", portrait)
    arguments = [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    ]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield running
        running.close()


@pytest.fixture(scope="session")
def server():
    with Running() as running:
        yield running


@pytest.fixture(scope="session")
def clip(tmp_path_factory, portrait):
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", portrait, frames=20)


@pytest.fixture
def opened(browser):
    """A function that opens a page, which must ask no other host and complain of nothing."""
    contexts, wrong = [], []

    def note(message):
        refused = message.text.startswith("Failed to load resource")  # the page says so itself
        if message.type in ("error", "warning") and not refused:
            wrong.append(message.text)

    def open_(url, look="wide", place=""):
        context = browser.new_context(**LOOKS[look], accept_downloads=True)
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        inside = (url, "blob:", "data:", "about:srcdoc")
        page.on("request", lambda r: r.url.startswith(inside) or wrong.append(r.url))
        page.goto(url + place)
        wait(lambda: page.evaluate("document.querySelector('#model').options.length > 0"))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []
