"""Measure other packages' models and mien's on the same faces, in one run: accuracy against cost.

Every model runs in a process of its own, one after the other, each round once; faces a second are
medians over rounds, of batches of 64 crops in memory, with as many threads as each takes by itself.
Nothing else should run on the machine meanwhile; its load is written down. Accuracy comes with 95 %
bootstrap intervals, by subject on CK+48. Where a test has fewer expressions than a model, the most
probable of them is its answer; a test with contempt is not put to a model that does not know it,
and "FER+ majority, 7 classes" leaves the faces of contempt out.

Each package has an environment of its own, which is weighed: all files in its folders of packages.
`fer` gets TensorFlow without what that needs for GPUs, less than it would install by itself:

    python -m venv fer
    fer/bin/pip install tensorflow-cpu "opencv-python-headless<5" matplotlib pandas requests tqdm \
        "moviepy<2" ffmpeg-python
    fer/bin/pip install --no-deps fer
    python -m venv base
    base/bin/pip install .
    python benchmarks/accuracy.py fer2013.zip fer2013new.csv CK+48.zip --mien base/bin/python \
        --fer fer/bin/python --out accuracy

The folder gets `accuracy.json` and `accuracy.png`. `deepface`, `hsemotion-onnx`, `emotiefflib`,
`rmn`, `facetorch` and `libreface` are not here: they fetch their weights from elsewhere when
they are first used. Another package is one more file like `accuracy_fer.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from accuracy_plot import draw
from accuracy_tests import Answers, Test, answers, questions
from rich.console import Console
from rich.table import Table

from mien.evaluation.bootstrap import interval
from mien.evaluation.metrics import accuracy
from mien.files import write_json
from mien.inference.zoo import shipped_models

HERE = Path(__file__).parent


@dataclass
class Model:
    """A model that takes part, and what was found out about it."""

    name: str
    command: Sequence[str]
    rates: list[float] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Answers] = field(default_factory=dict)

    def run(self, faces: Path, seconds: float, number: int) -> None:
        """Run one round; the first one also brings what the model says."""
        with tempfile.TemporaryDirectory() as folder:
            command = [*self.command, str(faces), folder, str(seconds), str(number)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{self.name} cannot be run:\n{done.stderr}")
            self.rates.append(float(done.stdout.splitlines()[-1]))
            if number == 0:
                self.about = json.loads((Path(folder) / "about.json").read_text())
                with np.load(Path(folder) / "shares.npz") as shares:
                    self.said = answers(self.about.pop("heads"), dict(shares))

    def result(self, tests: Sequence[Test]) -> dict[str, Any]:
        """Return all that is known of the model, ready for JSON."""
        return {
            "name": self.name,
            "faces_per_second": statistics.median(self.rates),
            "faces_per_second_by_round": self.rates,
            "mmac": self.about["macs"] / 1e6,
            "file_mb": self.about["file_bytes"] / 1e6,
            "environment_mb": self.about["environment_bytes"] / 1e6,
            "sha256": self.about.get("sha256"),
            "figures": [figure for test in tests if (figure := self._figure(test))],
        }

    def _figure(self, test: Test) -> dict[str, Any] | None:
        shares = test.asked(self.said)
        if shares is None:
            return None
        low, high = interval(accuracy, test.truth, shares, test.groups)
        value = accuracy(test.truth, shares)
        named = {"test": test.name, "subset": test.subset, "faces": len(test.rows)}
        return {**named, "value": value, "low": low, "high": high}


def models(mien: Path, fer: Path | None, others: Sequence[str]) -> list[Model]:
    """Return those that take part: mien's that are shipped, other files, and the packages given."""
    found = [
        Model(Path(name).stem, (str(mien), str(HERE / "accuracy_mien.py"), name))
        for name in [*shipped_models(), *others]
    ]
    if fer:
        script = str(HERE / "accuracy_fer.py")
        found.append(Model("fer", (str(fer), script, "tflite")))
        found.append(Model("fer, Keras", (str(fer), script, "keras")))
    return found


def tables(tests: Sequence[Test], results: Sequence[dict[str, Any]]) -> list[Table]:
    """Return what is printed: accuracy in each test, and what models cost."""
    names = [result["name"] for result in results]
    first = Table("accuracy", "faces", *names, title="Accuracy, 95 % intervals")
    for test in tests:
        cells = [_cell(result, test) for result in results]
        first.add_row(f"{test.name}, {test.subset}", str(len(test.rows)), *cells)
    second = Table("cost", *names, title="Cost")
    base = next((r["faces_per_second"] for r in results if r["name"] == "fer"), None)
    rates = [result["faces_per_second"] for result in results]
    second.add_row("faces/s", *(f"{rate:,.0f}" for rate in rates))
    if base:
        second.add_row("beside fer", *(f"{rate / base:.2f} ×" for rate in rates))
    for title, key in (("MMAC a face", "mmac"), ("file, MB", "file_mb")):
        second.add_row(title, *(f"{result[key]:.2f}" for result in results))
    second.add_row("environment, MB", *(f"{r['environment_mb']:,.0f}" for r in results))
    return [first, second]


def _cell(result: dict[str, Any], test: Test) -> str:
    for figure in result["figures"]:
        if (figure["test"], figure["subset"]) == (test.name, test.subset):
            return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
    return "no contempt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path, help="fer2013.zip")
    parser.add_argument("votes", type=Path, help="fer2013new.csv of FER+")
    parser.add_argument("ckplus", type=Path, help="CK+48.zip")
    parser.add_argument(
        "--mien", type=Path, default=Path(sys.executable), help="the Python that runs mien's models"
    )
    parser.add_argument("--fer", type=Path, help="the Python of an environment that has fer")
    parser.add_argument(
        "--model", action="append", default=[], help="one more ONNX file exported by mien"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="timed a model and round")
    parser.add_argument("--count", type=int, help="faces of each dataset; default: all")
    parser.add_argument("--out", type=Path, default=Path("accuracy"), help="folder to write to")
    options = parser.parse_args()
    asked = questions(options.fer2013, options.votes, options.ckplus, options.count)
    taking_part, loads = models(options.mien, options.fer, options.model), []
    with tempfile.TemporaryDirectory() as folder:
        faces = Path(folder) / "faces.npy"
        np.save(faces, asked.images)
        for number in range(options.rounds):
            for model in taking_part:
                loads.append(os.getloadavg()[0])
                model.run(faces, options.seconds, number)
    results = [model.result(asked.tests) for model in taking_part]
    content = {"models": results, "rounds": options.rounds, "load": loads, "cores": os.cpu_count()}
    write_json(options.out / "accuracy.json", content)
    draw(results, options.out / "accuracy.png")
    console = Console(width=160)
    console.print(*tables(asked.tests, results))
    console.print(f"load before each: {', '.join(f'{load:.1f}' for load in loads)}")
    console.print(f"Wrote {options.out}/accuracy.json and accuracy.png")


if __name__ == "__main__":
    main()
