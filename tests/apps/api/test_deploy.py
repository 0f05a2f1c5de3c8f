"""The container file and the systemd unit."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mien.apps.api.settings import ServerSettings

REPOSITORY = Path(__file__).parents[3]
DEPLOY = REPOSITORY / "deploy"

HADOLINT = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")


@pytest.fixture(scope="module")
def unit():
    """The unit's lines by section; a key may come twice."""
    found, section = {}, ""
    for line in (DEPLOY / "mien.service").read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault((section, name), []).append(value)
    return found


@pytest.fixture(scope="module")
def steps():
    """The container file's instructions."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [tuple(line.split(maxsplit=1)) for line in lines]


def taken(mien, options):
    """Whether `mien serve` knows these options."""
    shown = mien("serve", "--help").out
    return all(option in shown for option in options if option.startswith("--"))


def test_the_unit_starts_the_server(mien, unit):
    program, command, *options = shlex.split(unit["Service", "ExecStart"][0])
    assert (Path(program).name, command) == ("mien", "serve")
    assert taken(mien, options)
    assert options[options.index("--host") + 1] == "127.0.0.1"


def test_the_unit_runs_as_a_user_of_its_own_without_rights(unit):
    for name in ("DynamicUser", "PrivateTmp", "PrivateDevices", "ProtectHome", "NoNewPrivileges"):
        assert unit["Service", name] == ["yes"]
    assert unit["Service", "ProtectSystem"] == ["strict"]
    assert unit["Service", "CapabilityBoundingSet"] == [""]
    assert unit["Service", "IPAddressDeny"] == ["any"]
    assert unit["Service", "IPAddressAllow"] == ["localhost"]


def test_the_unit_says_how_long_videos_may_take(unit):
    text = (DEPLOY / "mien.service").read_text()
    settings = ServerSettings()
    assert (settings.jobs, settings.job_seconds) == (4, 3600)  # what the comment says
    assert "up to four" in text
    assert "an hour (job_seconds)" in text
    assert unit["Service", "TimeoutStopSec"] == ["10min"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path):
    text = (DEPLOY / "mien.service").read_text()
    path = tmp_path / "mien.service"
    path.write_text(text.replace("/opt/mien/bin/mien", shutil.which("true")))
    check = ["systemd-analyze", "verify", str(path)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_container_starts_the_server_as_a_user_of_its_own(mien, steps):
    (start,) = [json.loads(rest) for kind, rest in steps if kind == "ENTRYPOINT"]
    assert start[:2] == ["mien", "serve"]
    assert taken(mien, start)
    last = len(steps) - [kind for kind, _ in reversed(steps)].index("FROM")
    (user,) = [rest for kind, rest in steps[last:] if kind == "USER"]
    assert int(user) > 0  # a number, so that a cluster can see that it is not root


def test_the_container_loads_only_pinned_images_and_what_is_here(steps):
    for kind, rest in steps:
        assert kind != "ADD"
        if kind == "FROM":
            assert re.search(r":\d[\w.-]+", rest)
        if kind == "COPY" and not rest.startswith("--from"):
            *sources, _ = rest.split()
            assert all((REPOSITORY / source).exists() for source in sources)


@pytest.mark.skipif(not HADOLINT, reason="hadolint is not installed")
def test_hadolint_takes_the_container_file():
    check = [HADOLINT, str(DEPLOY / "Containerfile")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_neither_lets_onnx_runtime_report(unit, steps):
    assert "ORT_DISABLE_TELEMETRY=1" in unit["Service", "Environment"][0]
    assert any(kind == "ENV" and "ORT_DISABLE_TELEMETRY=1" in rest for kind, rest in steps)


def gigabytes(text: str, size: str) -> float:
    (found,) = re.findall(rf"{size}(\d+)g", text, re.IGNORECASE)
    return float(found)


def test_both_bound_memory_by_what_the_settings_can_take(unit):
    settings = ServerSettings()
    pictures = settings.held_bytes / 1e9 + settings.decoded_pixels * 20e-9
    video = settings.video_pixels * 140e-9
    most = gigabytes(unit["Service", "MemoryMax"][0], "")
    assert pictures + video + 0.3 < most < pictures + video + 2
    assert "TMPDIR=/var/tmp" in unit["Service", "Environment"][0]
    (line,) = (
        line
        for line in (DEPLOY / "Containerfile").read_text().splitlines()
        if "podman run --rm" in line
    )
    arriving = 2 * settings.jobs * settings.video_bytes / 1e9
    results = (settings.kept_bytes + settings.marked_bytes) / 1e9
    room = gigabytes(line, "/tmp:size=")
    assert arriving + results <= room
    assert gigabytes(line, "--memory ") >= room + most
