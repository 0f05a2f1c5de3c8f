"""The real program in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import httpx
import pytest

from apps.api.clip import write_clip
from apps.api.running import PATIENCE, Running, encoded, wait
from mien.apps.api.settings import MEGABYTE
from mien.apps.cli import serve
from mien.errors import MienError
from mien.inference.pictures import read_picture

CLI = "import sys; from mien.apps.cli.main import main; sys.exit(main())"


DOCS = Path(__file__).parents[3] / "docs" / "serve.md"

FETCHING = "then 10 seconds for fetching results; Ctrl-C again"


class Program:
    """`mien serve` on a free port."""

    def __init__(self, folder, *arguments, **environment):
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLI, "serve", "--port", "0", *arguments],
            env={**os.environ, "TMPDIR": str(folder), **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.greeting = self._process.stderr.readline()
        self.port = int(re.search(r":(\d+)", self.greeting)[1])
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE, trust_env=False
        )
        wait(self._answers)

    def _answers(self):
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def said(self):
        """Return the next line that it says."""
        return self._process.stderr.readline()

    def signal(self, number):
        self._process.send_signal(number)

    def ended(self):
        """Wait for the end; returns exit code and what it said after the greeting."""
        _, said = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, said


@pytest.fixture
def program(tmp_path):
    started = []

    def start(*arguments, **environment):
        started.append(Program(tmp_path, *arguments, **environment))
        return started[-1]

    yield start
    for one in started:
        one._process.kill()
        one._process.wait()
        one.client.close()


@pytest.mark.skipif(os.name != "posix", reason="sends signals as POSIX does")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_was_accepted_be_answered(program, portrait, number):
    server = program("--workers", "1")
    files = [("files", encoded(read_picture(portrait)))] * 12
    answers = []
    ask = threading.Thread(
        target=lambda: answers.append(server.client.post("/v1/analyze", files=files))
    )
    ask.start()
    with httpx.Client(base_url=server.client.base_url, trust_env=False) as other:
        wait(lambda: "mien_waiting_pictures 0.0" not in other.get("/metrics").text)
    server.signal(number)
    assert server.ended() == (0, "")
    ask.join()
    assert answers[0].status_code == 200
    assert [one["status"] for one in answers[0].json()["results"]] == ["ok"] * 12
    assert list(server.folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="sends signals as POSIX does")
def test_a_video_is_read_to_its_end_and_its_results_can_be_fetched(program, clip):
    server = program("--workers", "1")
    job = server.client.post("/v1/videos", files={"file": clip.read_bytes()}).json()
    server.signal(signal.SIGTERM)
    wait(lambda: server.client.get("/readyz").status_code == 503)
    refused = server.client.post("/v1/videos", files={"file": clip.read_bytes()})
    assert (refused.status_code, "closing" in refused.text) == (503, True)
    url = f"/v1/videos/{job['id']}"
    wait(lambda: server.client.get(url).json()["status"] == "done")
    assert len(server.client.get(f"{url}/result").text.splitlines()) == 21
    for form in ("jsonl", "video", "timeline"):  # the first one was not the last
        assert server.client.get(f"{url}/result", params={"format": form}).status_code == 200
    assert server.ended() == (0, f"Finishing 1 video, {FETCHING} gives it up.\n")
    assert list(server.folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="sends signals as POSIX does")
def test_a_second_signal_stops_reading_videos(program, long_clip):
    server = program("--workers", "1")
    upload = {"file": long_clip.read_bytes()}
    job, _ = (server.client.post("/v1/videos", files=upload).json() for _ in range(2))
    wait(lambda: server.client.get(f"/v1/videos/{job['id']}").json()["frames"] > 0)
    server.signal(signal.SIGINT)
    said = server.said()  # at once, while the videos are read
    assert said == f"Finishing 2 videos, {FETCHING} gives them up.\n"
    assert server.client.get("/readyz").status_code == 503
    server.signal(signal.SIGINT)
    assert server.ended() == (0, "")
    assert list(server.folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="sends signals as POSIX does")
def test_a_wrong_form_is_told_to_its_client_only(program):
    server = program()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = server.client.post("/v1/analyze", content=b"--gb\r\n", headers=headers)
    assert answer.status_code == 400
    server.signal(signal.SIGTERM)
    assert server.ended() == (0, "")


def test_a_key_comes_from_the_environment_and_is_never_shown(program):
    server = program(MIEN_API_KEY="geheim")
    assert server.client.get("/v1/models").status_code == 401
    assert server.client.get("/v1/models", headers={"X-API-Key": "geheim"}).status_code == 200
    assert "geheim" not in server.greeting


def test_a_key_is_taken_without_the_blanks_around_it(program):
    server = program(MIEN_API_KEY=" geheim \n")
    assert server.client.get("/v1/models").status_code == 401
    assert server.client.get("/v1/models", headers={"X-API-Key": "geheim"}).status_code == 200


def test_the_example_in_python_runs_as_it_is_written(program, portrait, tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    server = program(MIEN_API_KEY="geheim")
    (tmp_path / "photo.jpg").write_bytes(portrait.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", code.replace(":8000", f":{server.port}")],
        cwd=tmp_path,
        env={**os.environ, "MIEN_API_KEY": "geheim", "NO_PROXY": "localhost"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("photo.jpg ")


@pytest.mark.parametrize("key", ["geheim-ß", "ge heim", "  "])
def test_a_key_that_nobody_could_send(mien, monkeypatch, key):
    monkeypatch.setenv("MIEN_API_KEY", key)
    code, _, err = mien("serve", "--port", "0")
    assert (code, "visible ASCII characters" in " ".join(err.split())) == (2, True), err
    assert "heim" not in err


def test_nothing_stays_where_the_start_fails(mien, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(threading.enumerate())

    def fails(*arguments, **more):
        raise MienError("Nobody can be greeted.")

    monkeypatch.setattr(serve, "_greet", fails)
    assert mien("serve", "--port", "0")[0] == 2
    assert list(tmp_path.iterdir()) == []
    assert set(threading.enumerate()) <= before


def test_a_client_that_does_not_read_holds_up_no_stop(portrait, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", portrait, frames=20)
    before = set(threading.enumerate())
    with Running(workers=1, seconds=1) as server:
        job = server.ended(server.upload(clip).json()["id"])
        (folder,) = server.service.jobs.root.iterdir()
        with (folder / "marked.mp4").open("ab") as file:
            file.truncate(64 * MEGABYTE)  # more than the system takes before it is read
        with server.connected() as connection:
            url = f"/v1/videos/{job['id']}/result?format=video"
            connection.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % url.encode())
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
            server.__exit__()
    assert not server.service.jobs.root.exists()
    wait(lambda: not {t for t in set(threading.enumerate()) - before if "AnyIO" not in t.name})


LOCAL = ("localhost", "127.0.0.1", "[::1]")


@pytest.mark.parametrize(
    ("host", "names", "known"),
    [
        ("127.0.0.1", [], LOCAL),
        ("::1", [], LOCAL),
        ("127.0.0.2", ["mien.example"], (*LOCAL, "127.0.0.2", "mien.example")),
        ("0.0.0.0", [], ()),
        ("2001:db8::5", ["mien.example"], (*LOCAL, "[2001:db8::5]", "mien.example")),
    ],
)
def test_what_listens_here_alone_is_asked_by_few_names(host, names, known):
    assert serve._hosts(host, names) == known


def test_only_the_names_of_this_machine_and_of_its_proxy_are_answered(program):
    server = program("--server-name", "mien.example", "--workers", "1")

    def status(host):
        return server.client.get("/v1/models", headers={"Host": host}).status_code

    port = server.port
    known = (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "mien.example")
    assert [status(host) for host in known] == [200] * 4
    assert status(f"evil.example:{port}") == 403


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("2001:db8::5", "http://[2001:db8::5]:8000"),
        ("::", "http://localhost:8000"),
        ("::1", "http://localhost:8000"),
        ("192.0.2.1", "http://192.0.2.1:8000"),
    ],
)
def test_the_address_that_is_said_can_be_opened(capsys, host, url):
    serve._greet(host, 8000, locked=True)
    assert f"Open {url} " in capsys.readouterr().err


def test_a_port_that_is_taken(mien):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = mien("serve", "--port", port)
    assert code == 2
    assert f"Port {port} of 127.0.0.1 cannot be used: Address already in use." in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--origin", "https://a.example/"], "without a path. Got 'https://a.example/'."),
        (["--server-name", "https://a.example"], "without a scheme, a port or a path"),
        (["--host", "no.such.host.invalid"], "cannot be used"),
        (["--host", "203.0.113.1"], "cannot be used"),
        (["--port", "70000"], "65535"),
        (["--model", "mien-bass"], "did you mean 'mien-base'"),
        (["--detector", "yunett"], "did you mean 'yunet'"),
        (["--detector", "yunet", "--detector-weights", "none.onnx"], "none.onnx"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(mien, arguments, sentence):
    code, _, err = mien("serve", *arguments)
    assert (code, sentence in " ".join(err.split())) == (2, True), err
    assert "Traceback" not in err


def test_without_the_extra_it_says_what_to_install():
    block = "import importlib.util as u; find = u.find_spec; "
    block += "u.find_spec = lambda n, *a: None if n == 'fastapi' else find(n, *a); "
    done = subprocess.run(
        [sys.executable, "-c", block + CLI, "serve"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Serving needs the extra [app]: pip install '.[app]'" in done.stderr


def test_photos_are_read_without_the_extra():
    code = """
import sys, pkgutil, importlib
for name in ("fastapi", "starlette", "uvicorn", "prometheus_client"):
    sys.modules[name] = None
import mien.inference
for module in pkgutil.walk_packages(mien.inference.__path__, "mien.inference."):
    importlib.import_module(module.name)
import mien.apps.cli.main
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
