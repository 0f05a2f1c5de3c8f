"""Measure recognition: classification, detection, `import mien` and `mien analyze` from cold.

Nothing else should run on the machine meanwhile. The targets are printed beside the
figures: 500 faces/s in batches of 64, 5 ms for one face, .3 s of CPU for `import mien`, 2 s of CPU
for `mien analyze photo.jpg`.

    python benchmarks/inference.py mien-base photo.jpg \
        --weights face_detection_yunet_2026may.onnx
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from mien.inference.classifier import BATCH, Classifier
from mien.inference.detectors import DETECTORS
from mien.inference.pictures import read_picture

Row = tuple[str, str, str]


def seconds(work: Callable[[], object], least: float = 2.0) -> float:
    """Return the median wall time of a call, repeated for at least `least` seconds."""
    work()
    times: list[float] = []
    while sum(times) < least or len(times) < 5:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def cpu_seconds(command: Sequence[str], repeat: int = 5) -> float:
    """Return the median CPU time, user and system, of a command's process and its threads."""
    times = []
    for _ in range(repeat):
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            errors = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{errors.decode()}")
        times.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(times)


def classification(model: str, threads: int | None) -> list[Row]:
    classifier = Classifier(model, threads)
    size = classifier.card.preprocess.size
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, size, size), np.uint8)
    batch = seconds(lambda: classifier.classify(crops))
    one = seconds(lambda: classifier.classify(crops[:1]))
    return [
        (f"classify {BATCH} faces", f"{BATCH / batch:.0f} faces/s", "≥ 500 faces/s"),
        ("classify 1 face", f"{one * 1000:.2f} ms", "≤ 5 ms"),
    ]


def detection(photo: Path, weights: Path | None) -> list[Row]:
    picture, rows = read_picture(photo), []
    for name in DETECTORS:
        detector = DETECTORS[name](weights if name == "yunet" else None)
        found = len(detector.detect(picture))
        milliseconds = seconds(lambda detector=detector: detector.detect(picture)) * 1000
        rows.append((f"{name} on {photo.name}", f"{milliseconds:.1f} ms, {found} faces", ""))
    return rows


def commands(model: str, photo: Path) -> list[Row]:
    bare = cpu_seconds([sys.executable, "-c", "pass"])
    imported = cpu_seconds([sys.executable, "-c", "import mien"]) - bare
    cli = "import sys; from mien.apps.cli.main import main; sys.exit(main())"
    analyze = cpu_seconds([sys.executable, "-c", cli, "analyze", str(photo), "--model", model])
    return [
        ("import mien (CPU, above bare Python)", f"{imported:.3f} s", "< 0.3 s"),
        (f"mien analyze {photo.name} (CPU)", f"{analyze:.2f} s", "< 2 s"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a shipped model's name, or an ONNX file exported by mien")
    parser.add_argument("photo", type=Path, help="a photo with faces")
    parser.add_argument("--weights", type=Path, help="YuNet's weights")
    parser.add_argument("--threads", type=int, help="threads of the classifier; default: all cores")
    options = parser.parse_args()
    table = Table("what", "measured", "target", title=f"{options.model}, {os.cpu_count()} cores")
    for row in [
        *classification(options.model, options.threads),
        *detection(options.photo, options.weights),
        *commands(options.model, options.photo),
    ]:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
