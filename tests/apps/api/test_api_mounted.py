"""The application under a path: in another application, or behind a proxy that cuts it off."""

import os
import subprocess
import sys

import pytest

from apps.api.mounted import Under
from apps.api.running import PATIENCE, wait

KEY = {"X-API-Key": "geheim"}

ASKED = [("GET", "/v1/models"), ("POST", "/v1/analyze"), ("DELETE", "/v1/nothing")]


@pytest.fixture(scope="module", params=[True, False], ids=["mounted", "root path"])
def under(request):
    with Under(request.param, api_key="geheim", picture_bytes=10_000, kept_seconds=1.0) as server:
        yield server


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_the_key_is_asked_for(under, method, path):
    answer = under.ask(method, path)
    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        "Send the server's key as X-API-Key.",
    )
    assert under.ask(method, path, headers=KEY).status_code in (200, 404, 415)


def test_what_needs_no_key_needs_none(under):
    assert under.ask("GET", "/healthz").status_code == 200


def test_a_video_has_the_limits_of_videos_and_is_forgotten(under, clip):
    assert clip.stat().st_size > 10_000
    files = {"file": ("clip.mp4", clip.read_bytes())}
    answer = under.ask("POST", "/v1/videos", files=files, headers=KEY)
    assert answer.status_code == 202, answer.text
    job = under.service.jobs[answer.json()["id"]]
    wait(lambda: job.has_ended)
    assert job.status == "done"
    wait(lambda: not job.folder.exists())  # though nobody runs the lifespan of what is mounted


def test_a_picture_has_the_limits_of_pictures(under):
    answer = under.ask("POST", "/v1/analyze", files={"files": bytes(20_000)}, headers=KEY)
    assert answer.status_code == 413


NEVER_CLOSED = """
from mien.apps.api.app import create_app
app = create_app()
folder = app.state.service.jobs.root
(folder / "readings.csv").write_text("happiness")
print(folder)
"""


def test_nothing_stays_though_nobody_closes_it(tmp_path):
    made = subprocess.run(
        [sys.executable, "-c", NEVER_CLOSED],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert made.stdout.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
