"""Measure the reading of videos: frames a second from end to end, beside the package `fer`; shares.

Each round runs every reader once, one after the other, on the same clip, looped to `--seconds`; the
medians and the ratios to `fer` are printed, with the faces found. Nothing else should run on the
machine meanwhile; its load is printed. The targets are those for `mien-base` and one face on 2
cores. `fer` needs an environment of its own, with TensorFlow:

    python -m venv fer
    fer/bin/pip install tensorflow-cpu "opencv-python-headless<5" matplotlib pandas requests tqdm \
        "moviepy<2" ffmpeg-python
    fer/bin/pip install --no-deps fer
    python benchmarks/video.py single_face.mp4 --weights face_detection_yunet_2026may.onnx \
        --fer fer/bin/python
    python benchmarks/video.py single_face.mp4 --memory 30
    python benchmarks/video.py single_face.mp4 --live 10
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from mien.inference.analyzer import Analyzer
from mien.inference.live.session import LiveFrame, LiveSession
from mien.inference.live.sources import Player
from mien.inference.render import annotate
from mien.inference.video.clip import Clip
from mien.inference.video.finder import FaceFinder, Search
from mien.inference.video.pipeline import classify, cut
from mien.inference.video.reading import FrameReadings
from mien.inference.video.results import VideoResults
from mien.inference.video.run import VideoReader
from mien.inference.video.table import Beside

FER = """
import json, os, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import cv2
from fer.fer import FER
detector = FER(mtcnn=False)
capture = cv2.VideoCapture(sys.argv[1])
detector.detect_emotions(capture.read()[1])  # what is made at the first call is not counted
frames = faces = 0
start = time.perf_counter()
while True:
    good, picture = capture.read()
    if not good:
        break
    frames += 1
    faces += len(detector.detect_emotions(picture))
print(json.dumps([frames / (time.perf_counter() - start), frames, faces]))
"""

TARGETS = {("yunet", 640): 250, ("haar", 640): 110, ("yunet", 1280): 150}
"""Frames a second by detector and the width of the frames."""

Measure = tuple[float, int, int]
"""Frames a second, frames, faces."""


def looped(clip: Path, seconds: float, folder: Path) -> Path:
    """Repeat a clip's packets until it is so long."""
    path = folder / f"looped-{clip.stem}.mp4"
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [p for p in source.demux(stream) if p.dts is not None]
        times = [(p.pts, p.dts) for p in packets]
        span = sum(p.duration for p in packets)
        for turn in range(max(1, round(seconds / float(span * stream.time_base)))):
            for packet, (pts, dts) in zip(packets, times, strict=True):
                packet.pts, packet.dts = pts + turn * span, dts + turn * span
                packet.stream = copy
                target.mux(packet)
    return path


def ours(clip: Path, detector: str, weights: Path | None) -> Measure:
    """Read a clip as `mien analyze clip --out rows.csv` does."""
    threads = max(1, (os.cpu_count() or 1) - 1)
    analyzer = Analyzer("mien-base", detector, None, weights, threads)
    reader = VideoReader(analyzer)
    frames = faces = 0
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.csv"
        with VideoResults(out, reader.settings([clip]), Beside()) as results:
            for read in reader.read_into(results.journal, clip):
                frames, faces = frames + 1, faces + len(read.readings)
    return frames / (time.perf_counter() - start), frames, faces


def theirs(clip: Path, python: Path) -> Measure:
    command = [str(python), "-c", FER, str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{python} cannot run fer:\n{done.stderr}")
    rate, frames, faces = json.loads(done.stdout.splitlines()[-1])
    return rate, frames, faces


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def stages(clip: Path, detector: str, weights: Path | None) -> dict[str, float]:
    """Return the CPU milliseconds per frame of each stage, each run on its own."""
    analyzer = Analyzer("mien-base", detector, None, weights, 1)
    reader = VideoReader(analyzer)
    frames = list(Clip(clip).frames())
    finder = FaceFinder(analyzer.new_detector(), Search())
    faces, found, read = [], [], []
    seconds = {
        "decode": cpu(lambda: [None for _ in Clip(clip).frames()]),
        "detect, track": cpu(lambda: faces.extend(finder.find(frame) for frame in frames)),
        "classify": cpu(lambda: read.extend(_classified(analyzer, frames, faces, found))),
        "write": cpu(lambda: _written(reader, clip, read)),
    }
    return {name: 1000 * spent / len(frames) for name, spent in seconds.items()}


def _classified(analyzer, frames, faces, found) -> Iterable[FrameReadings]:
    for frame, tracked in zip(frames, faces, strict=True):
        found.append(cut(analyzer, frame, tracked))
    for start in range(0, len(found), 16):
        yield from classify(analyzer, found[start : start + 16], "clip")


def _written(reader: VideoReader, clip: Path, read: Iterable[FrameReadings]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = reader.settings([clip])
        with VideoResults(Path(folder) / "rows.csv", settings, Beside()) as results:
            for one in read:
                results.journal.add(one)


def memory(clip: Path, minutes: float, detector: str, weights: Path | None) -> None:
    """Print what memory the reading of a long video takes as its minutes go by."""
    analyzer = Analyzer("mien-base", detector, None, weights, 1)
    reader = VideoReader(analyzer)
    with tempfile.TemporaryDirectory() as folder:
        long, taken = looped(clip, 60 * minutes, Path(folder)), {}
        out = Path(folder) / "rows.csv"
        with VideoResults(out, reader.settings([long]), Beside()) as results:
            for read in reader.read_into(results.journal, long):
                minute = int(read.place.time // 60)
                if minute not in taken:
                    taken[minute] = resident()
        taken["written"] = resident()
    growth = taken[max(m for m in taken if m != "written")] - taken[min(1, minutes - 1)]
    Console().print({name: f"{value:.0f} MB" for name, value in taken.items()})
    Console().print(f"growth from minute 1: {growth:.0f} MB (at most 50 MB)")


def resident() -> float:
    """Megabytes this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def live(clip: Path, minutes: float, detector: str, weights: Path | None) -> None:
    """Print the latency of a live session with marked frames, minute by minute."""
    analyzer = Analyzer("mien-base", detector, None, weights)
    latencies: dict[int, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        long = looped(clip, 60 * minutes, Path(folder))
        for frame in LiveSession(analyzer, Player(long)).frames():
            if isinstance(frame, LiveFrame):
                annotate(frame.picture, frame.shown)
                latency = time.monotonic() - frame.arrived
                latencies.setdefault(int(frame.read.place.time // 60), []).append(latency * 1000)
                dropped = frame.pace.dropped
    table = Table("minute", "median ms", "95 % below", "frames", title=f"{clip.name}, {detector}")
    for minute, values in latencies.items():
        middle, most = statistics.median(values), float(np.percentile(values, 95))
        table.add_row(str(minute), f"{middle:.0f}", f"{most:.0f}", str(len(values)))
    Console().print(table, f"{dropped} frames dropped; at most 60 ms")


def compare(options: argparse.Namespace) -> None:
    """Print frames a second of every reader, and the stages' shares."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        clip = looped(options.clip, options.seconds, Path(folder))
        width = next(Clip(clip).frames()).size[0]
        readers: dict[str, Callable[[], Measure]] = {
            name: lambda name=name: ours(clip, name, options.weights if name == "yunet" else None)
            for name in (("haar", "yunet") if options.weights else ("haar",))
        }
        if options.fer:
            readers["fer (haar)"] = lambda: theirs(clip, options.fer)
        measured: dict[str, list[Measure]] = {name: [] for name in readers}
        loads = []
        for _ in range(options.rounds):
            for name, read in readers.items():
                loads.append(os.getloadavg()[0])
                measured[name].append(read())
        show(console, measured, width, options.clip.name)
        console.print(f"load before each: {', '.join(f'{load:.1f}' for load in loads)}")
        for name in [name for name in readers if name in ("haar", "yunet")]:
            weights = options.weights if name == "yunet" else None
            spent = stages(options.clip, name, weights)
            total = sum(spent.values())
            parts = [f"{s} {ms:.2f} ms ({ms / total:.0%})" for s, ms in spent.items()]
            console.print(f"{name}, CPU per frame: {', '.join(parts)}")


def show(console: Console, measured: dict[str, list[Measure]], width: int, name: str) -> None:
    table = Table("reader", "frames/s", "beside fer", "target", "faces", title=name)
    base = [rate for rate, _, _ in measured.get("fer (haar)", [])]
    for reader, rows in measured.items():
        rates = [rate for rate, _, _ in rows]
        ratio = statistics.median(np.divide(rates, base)) if base else float("nan")
        target = TARGETS.get((reader, width))
        faces = f"{rows[0][2]} in {rows[0][1]}"
        median = statistics.median(rates)
        goal = f"≥ {target}" if target else ""
        table.add_row(reader, f"{median:.0f}", f"{ratio:.2f} ×" if base else "", goal, faces)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, help="a video with a face")
    parser.add_argument("--weights", type=Path, help="YuNet's weights; without them only haar")
    parser.add_argument("--fer", type=Path, help="the Python of an environment that has fer")
    parser.add_argument("--seconds", type=float, default=24, help="length that is read, looped")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=float, help="read so many minutes and watch memory")
    parser.add_argument("--live", type=float, help="play so many minutes and watch the latency")
    options = parser.parse_args()
    detector = "yunet" if options.weights else "haar"
    if options.memory:
        memory(options.clip, options.memory, detector, options.weights)
    elif options.live:
        live(options.clip, options.live, detector, options.weights)
    else:
        compare(options)


if __name__ == "__main__":
    main()
