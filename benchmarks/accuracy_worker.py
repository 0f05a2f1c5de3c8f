"""What every model of `accuracy.py` does in a process and an environment of its own.

Needs nothing but NumPy: it runs beside whatever the model's package needs.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 64
TIMED = 8 * BATCH
"""How many faces are classified, again and again, to time a model."""

LEAST = 5
"""How many batches are timed, at least."""

Outputs = dict[str, np.ndarray]
"""Probabilities, float (N, C), by the name of the output."""


def work(
    predict: Callable[[np.ndarray], Outputs],
    once: Callable[[np.ndarray], object],
    heads: Mapping[str, Sequence[str]],
    about: Mapping[str, Any],
) -> None:
    """Time a model, and let it read all faces on the first round.

    The command line ends in the file of faces, uint8 (N, 48, 48), the folder for the answers, the
    seconds to time for, and the number of the round.

    Args:
        predict: Everything the model says of a batch of faces.
        once: What a user calls for a batch; this is timed.
        heads: The expressions of each output, in the order of its columns.
        about: What else is to be known of the model, ready for JSON.
    """
    faces, folder, seconds, number = sys.argv[-4:]
    images = np.load(faces)
    rate = faces_per_second(once, images[:TIMED], float(seconds))
    if number == "0":
        batches = [predict(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
        shares = {head: np.concatenate([batch[head] for batch in batches]) for head in heads}
        np.savez(Path(folder) / "shares.npz", **shares)
        facts = {**about, "heads": dict(heads), "environment_bytes": environment()}
        (Path(folder) / "about.json").write_text(json.dumps(facts))
    print(rate)


def faces_per_second(
    once: Callable[[np.ndarray], object], images: np.ndarray, seconds: float
) -> float:
    """Return the median over batches, taken from the images again and again."""
    batches = [images[i : i + BATCH] for i in range(0, len(images), BATCH)]
    once(batches[0])  # what is made at the first call is not counted
    rates: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(rates) < LEAST:
        batch = batches[len(rates) % len(batches)]
        start = time.perf_counter()
        once(batch)
        rates.append(len(batch) / (time.perf_counter() - start))
    return statistics.median(rates)


def environment() -> int:
    """Return the bytes of all files in the folders of packages that this Python sees."""
    folders = {Path(path).resolve() for path in sys.path if path.endswith("site-packages")}
    files = (file for folder in folders for file in folder.rglob("*"))
    return sum(file.stat().st_size for file in files if file.is_file())
