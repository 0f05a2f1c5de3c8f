"""Downloads from a server that really answers, on this machine."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mien.errors import ModelError
from mien.inference.downloads import Download, home

CONTENT = bytes(range(256)) * 100
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    """A server with /good, /broken (cut short) and nothing else; it counts its answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            made.answers += 1
            if self.path not in ("/good", "/broken"):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT if self.path == "/good" else CONTENT[:500])

        def log_message(self, *_):
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.answers = 0
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def download(server, path="/good", digest=DIGEST):
    url = f"http://127.0.0.1:{server.server_port}{path}"
    return Download("net.onnx", url, digest, "the detector 'net'")


def test_a_file_is_fetched_once(server, folder):
    wanted = download(server)
    assert wanted.path() == folder / "net.onnx"
    assert wanted.path().read_bytes() == CONTENT
    assert server.answers == 1
    assert [path.name for path in folder.iterdir()] == ["net.onnx"]


def test_a_file_put_there_by_hand_needs_no_network(folder):
    folder.mkdir()
    (folder / "net.onnx").write_bytes(CONTENT)
    nowhere = Download("net.onnx", "http://127.0.0.1:1/net.onnx", DIGEST, "the detector 'net'")
    assert nowhere.path() == folder / "net.onnx"


@pytest.mark.parametrize("path", ["/missing", "/broken"])
def test_a_failed_download_says_what_to_do_and_leaves_nothing(server, folder, path):
    with pytest.raises(ModelError, match="could not be downloaded") as caught:
        download(server, path).path()
    message = str(caught.value)
    assert all(word in message for word in ("--detector-weights", "MIEN_HOME", str(folder)))
    assert "\n" not in message
    assert not folder.exists()


def test_no_network(folder):
    nowhere = Download("net.onnx", "http://127.0.0.1:1/net.onnx", DIGEST, "the detector 'net'")
    with pytest.raises(ModelError, match=r"put net\.onnx into"):
        nowhere.path()


def test_another_content_is_not_stored(server, folder):
    with pytest.raises(ModelError, match="nothing was stored"):
        download(server, digest="0" * 64).path()
    assert not folder.exists()


def test_a_damaged_file_is_named(server, folder):
    folder.mkdir()
    (folder / "net.onnx").write_bytes(CONTENT[:-1])
    with pytest.raises(ModelError, match="is not the file that the detector 'net' needs"):
        download(server).path()
    assert server.answers == 0


def test_a_home_that_cannot_be_written(server, folder):
    folder.write_text("a file where a folder should be")
    with pytest.raises(ModelError, match="cannot be stored"):
        download(server).path()


def test_where_home_is(monkeypatch):
    monkeypatch.setenv("MIEN_HOME", "/models")
    assert home() == Path("/models")
    monkeypatch.delenv("MIEN_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert home() == Path("/cache/mien")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert home() == Path("~/.cache/mien").expanduser()


def test_yunet_is_looked_for_in_home(folder, weights_for):
    from mien.inference.detectors import DETECTORS

    folder.mkdir()
    source = weights_for("yunet")
    (folder / source.name).write_bytes(source.read_bytes())
    assert DETECTORS["yunet"](None) is not None
