"""Measure the server: photos a second over loopback, times to the answer, memory over time.

Starts `mien serve` in a process of its own and asks from this one, over connections that stay
open, each asking again as soon as it is answered. Every answer is compared with the offline
result of its picture. The pictures are made from the photo: 640x480, one face, each of them
different. Targets: 100 photos/s and a 99th percentile of 1 s with 32 clients on 2 cores, which
the load shares; memory that stays within 50 MB; 3 s to the first answer. Nothing else should run
meanwhile; the machine's load is printed.

    python benchmarks/serve.py single_face.jpg --weights face_detection_yunet_2026may.onnx
    python benchmarks/serve.py single_face.jpg --weights … --requests 10000
    python benchmarks/serve.py single_face.jpg --weights … --seconds 600
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mien.inference.analyzer import Analyzer
from mien.inference.pictures import decode_picture

SIZE = (640, 480)
PICTURES = 64
WARM = 3.0
"""Seconds of load before anything is counted: the first batches of every size are slower."""

CLOSE = 1e-5
BOUNDARY = b"mien-benchmark"
CLI = "import sys; from mien.apps.cli.main import main; sys.exit(main())"


@dataclass(frozen=True)
class Question:
    """A request as it goes over the wire, and the probabilities that must come back."""

    content: bytes
    probabilities: tuple[float, ...]


@dataclass
class Tally:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    wrong: int = 0

    def add(self, status: int, body: bytes, question: Question, seconds: float) -> None:
        if status == 429:
            self.refused += 1
            return
        self.seconds.append(seconds)
        self.wrong += status != 200 or not same(body, question)


def same(body: bytes, question: Question) -> bool:
    (result,) = json.loads(body)["results"]
    if len(result["faces"]) != 1:
        return False
    found = result["faces"][0]["probabilities"].values()
    return all(abs(a - b) <= CLOSE for a, b in zip(found, question.probabilities, strict=True))


def questions(photo: Path, analyzer: Analyzer) -> list[Question]:
    """Make pictures of one face by moving, mirroring and lighting a photo."""
    with photo.open("rb") as file:
        picture = cv2.cvtColor(decode_picture(file, photo.name), cv2.COLOR_RGB2BGR)
    random, made = np.random.default_rng(0), []
    while len(made) < PICTURES:
        height, width = picture.shape[:2]
        scale = min(SIZE[0] / width, SIZE[1] / height) * random.uniform(0.8, 1.3)
        shift = [
            random.uniform(-40, 40) + (SIZE[i] - scale * (width, height)[i]) / 2 for i in (0, 1)
        ]
        move = np.float64([[scale, 0, shift[0]], [0, scale, shift[1]]])
        one = cv2.warpAffine(picture, move, SIZE, borderMode=cv2.BORDER_REPLICATE)
        one = cv2.convertScaleAbs(one[:, :: random.choice([-1, 1])], beta=random.uniform(-20, 20))
        jpeg = cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        if question := _question(jpeg, analyzer):
            made.append(question)
    return made


def _question(jpeg: bytes, analyzer: Analyzer) -> Question | None:
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(jpeg)
        file.flush()
        readings = analyzer.analyze(file.name)
    if len(readings) != 1:
        return None
    head = b'Content-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    body = b"--%b\r\n%b%b\r\n--%b--\r\n" % (BOUNDARY, head, jpeg, BOUNDARY)
    request = (
        b"POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=%b\r\nContent-Length: %d\r\n\r\n"
    ) % (BOUNDARY, len(body))
    return Question(request + body, readings[0].probabilities)


class Server:
    """`mien serve` in a process of its own."""

    def __init__(self, arguments: Sequence[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        start = time.perf_counter()
        command = [sys.executable, "-c", CLI, "serve", "--port", str(self.port), *arguments]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self._wait()
        self.started = time.perf_counter() - start

    def _wait(self) -> None:
        while self._process.poll() is None:
            try:
                urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        sys.exit("mien serve did not start.")

    def processor_seconds(self) -> float:
        """Return the time of all its threads so far, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def measure(self) -> tuple[float, int, int]:
        """Return megabytes of memory, threads and open files."""
        folder = Path(f"/proc/{self._process.pid}")
        status = (folder / "status").read_text()
        memory, threads = (
            int(re.search(rf"^{key}:\s+(\d+)", status, re.M)[1]) for key in ("VmRSS", "Threads")
        )
        return memory / 1024, threads, len(list((folder / "fd").iterdir()))

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(60)


async def client(
    number: int, port: int, asked: Sequence[Question], tally: Tally, until: asyncio.Event
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    while not until.is_set():
        question = asked[number % len(asked)]
        number += 7
        start = time.perf_counter()
        writer.write(question.content)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head)[1])
        body = await reader.readexactly(length)
        tally.add(int(head[9:12]), body, question, time.perf_counter() - start)
    writer.close()


async def load(
    port: int, asked: Sequence[Question], clients: int, seconds: float, requests: int = 0
) -> tuple[Tally, float]:
    """Ask for so many seconds, or until so many are answered."""
    tally, until = Tally(), asyncio.Event()
    start = time.perf_counter()
    running = [
        asyncio.create_task(client(number, port, asked, tally, until)) for number in range(clients)
    ]
    while len(tally.seconds) < requests if requests else time.perf_counter() - start < seconds:
        await asyncio.sleep(0.05)
        for task in running:
            if task.done():
                task.result()
    answered, took = len(tally.seconds), time.perf_counter() - start
    until.set()
    await asyncio.gather(*running)
    return tally, answered / took


def report(server: Server, asked: Sequence[Question], options: argparse.Namespace) -> Table:
    asyncio.run(load(server.port, asked, options.clients, WARM))
    before, spent = server.measure(), server.processor_seconds()
    tally, rate = asyncio.run(
        load(server.port, asked, options.clients, options.seconds, options.requests)
    )
    after, spent = server.measure(), server.processor_seconds() - spent
    p50, p99 = (f"{np.percentile(tally.seconds, p) * 1000:.0f} ms" for p in (50, 99))
    counts = f"{len(tally.seconds)}, {tally.wrong}, {tally.refused}"
    table = Table("what", "measured", "target", title=title(options))
    for row in (
        ("first answer after the start", f"{server.started:.2f} s", "≤ 3 s"),
        ("photos a second", f"{rate:.0f}", "≥ 100"),
        ("processor time of a photo", f"{spent / len(tally.seconds) * 1000:.1f} ms", "–"),
        ("time to the answer, median and 99th percentile", f"{p50}, {p99}", "–, ≤ 1000 ms"),
        ("answers, wrong ones, refused requests", counts, "–, 0, 0"),
        ("memory before and after", f"{before[0]:.0f} MB, {after[0]:.0f} MB", "± 50 MB"),
        ("threads before and after", f"{before[1]}, {after[1]}", "the same"),
        ("open files before and after", f"{before[2]}, {after[2]}", "the same"),
    ):
        table.add_row(*row)
    return table


def title(options: argparse.Namespace) -> str:
    load_now = os.getloadavg()[0]
    return f"{options.clients} clients, {os.cpu_count()} cores, load average {load_now:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", type=Path, help="a photo of one face")
    parser.add_argument("--weights", type=Path, help="YuNet's weights")
    parser.add_argument("--model", default="mien-base")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--requests", type=int, default=0, help="so many instead of so long")
    options = parser.parse_args()
    weights = options.weights or None
    analyzer = Analyzer(options.model, "yunet", detector_weights=weights)
    asked = questions(options.photo, analyzer)
    extra = ["--detector-weights", str(weights)] if weights else []
    server = Server(["--model", options.model, "--detector", "yunet", *extra])
    try:
        Console().print(report(server, asked, options))
    finally:
        code = server.stop()
    if code:
        sys.exit(f"mien serve ended with {code}.")


if __name__ == "__main__":
    main()
