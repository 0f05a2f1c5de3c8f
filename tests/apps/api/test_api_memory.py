"""What clients can make the server hold, as the system counts it: Pillow's is not Python's."""

from __future__ import annotations

import gc
from pathlib import Path

import PIL.Image
import pytest

from apps.api.running import Occupied, Running, encoded, wait
from mien.apps.api.pool import Task
from mien.apps.api.received import Received
from mien.apps.api.settings import MEGABYTE

STATUS = Path("/proc/self/status")

pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="memory is told by Linux only")


def held() -> int:
    """Megabytes of this process in memory."""
    (line,) = (one for one in STATUS.read_text().splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) // 1024


@pytest.fixture(autouse=True)
def uncollected():
    """Cycles stay: when Python looks for them is nothing to rely on."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="module")
def damaged() -> bytes:
    """A picture of a few bytes that takes 60 MB until it turns out to be cut short."""
    return encoded(PIL.Image.new("RGB", (4000, 4000)))[:-400]


def test_damaged_pictures_are_forgotten(damaged):
    with Running(workers=1) as server:
        assert server.analyze(damaged).status_code == 422
        before = held()
        assert server.analyze(*[damaged] * 8).status_code == 422
        assert held() - before < 100


def test_pictures_that_nobody_waits_for_are_forgotten():
    with Running(workers=1, seconds=0.2) as server:
        holding = Task(Occupied(), Received("held", b""))
        server.service.pool.add([holding])
        wait(lambda: not len(server.service.pool))
        large = b"x" * 40 * MEGABYTE
        assert server.analyze(large).status_code == 503
        before = held()
        for _ in range(4):
            assert server.analyze(large).status_code == 503
        assert held() - before < 100
        assert len(server.service.pool) == 5
        holding.analyzer.free.set()


@pytest.mark.parametrize("length", [16_000, 17_000, 60_000])
def test_large_headers_are_refused_though_they_come_at_once(server, length):
    answer = server.client.get("/healthz", headers={"X": "a" * length})
    assert answer.status_code == (200 if length < 16_384 else 431)
    if length > 16_384:
        assert answer.json() == {"detail": "The headers must be at most 16384 bytes."}


def test_headers_are_bounded_before_anything_is_asked(server):
    before = held()
    with server.connected() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        with pytest.raises(ConnectionError):
            for number in range(300):
                connection.sendall(b"X-%d: %b\r\n" % (number, b"a" * MEGABYTE))
    assert held() - before < 50
