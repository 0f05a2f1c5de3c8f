from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")

SHOTS = pytest.StashKey[Path]()


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
def shots(tmp_path_factory, pytestconfig) -> Path:
    """The folder of the screenshots; it is named at the end of the run."""
    folder = tmp_path_factory.mktemp("screenshots", numbered=False)
    pytestconfig.stash[SHOTS] = folder
    return folder


def pytest_terminal_summary(terminalreporter, config):
    if SHOTS in config.stash:
        terminalreporter.write_line(f"Screenshots: {config.stash[SHOTS]}")
