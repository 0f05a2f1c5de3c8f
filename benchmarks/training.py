"""Measure training: images/s of every paper's network, beside the same network in Keras.

Both sides run in one go, one after the other and again, each in a process of its own, on the same
random faces, with the paper's batch size and optimiser and without augmentation. Ours is the real
training loop. Keras is TensorFlow's, fp32 on the CPU, as the papers used; it needs TensorFlow in
an environment of its own, because nothing else of mien does. Nothing else should run meanwhile.

    python -m venv keras && keras/bin/pip install tensorflow-cpu
    python benchmarks/training.py --keras keras/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.recipe import Recipe

SIDES = {
    "auto": {},
    "fp32": {"precision": "fp32"},
    "direct": {"precision": "fp32", "convolutions": "direct"},
}
"""Ours: with the defaults, in fp32, and in fp32 with PyTorch's own convolutions."""

WARM_UP = 0.4
"""Share of the steps that are not timed: kernels are chosen and memory is taken in the first."""


@dataclass(frozen=True)
class Case:
    """A paper's network and optimiser; the batch is the paper's where it gives one."""

    recipe: str
    network: str
    options: dict[str, object]
    batch: int
    steps: int
    optimiser: str = "keras-adam"


CASES = [
    *(Case(f"Kusno {m}", "kusno-chowanda", {"model": m}, 64, 40) for m in range(1, 9)),
    Case("Chen", "chen", {}, 8, 1200, "keras-rmsprop"),
    Case("Fatimatuzzahra basic", "fatimatuzzahra-basic", {}, 16, 240),
    Case("Fatimatuzzahra improved", "fatimatuzzahra", {}, 16, 240),
    Case("Choudhari", "choudhari", {}, 64, 60),
    Case("Mahastama, 4 blocks", "mahastama", {"filters": [256, 512, 384, 192]}, 64, 6),
    Case("Mahastama, 5 blocks", "mahastama", {}, 64, 6),
]


def ours(case: Case, side: str) -> float:
    """Return images/s of mien's training loop."""
    from lightning.pytorch.callbacks import Callback

    from mien.training import train as training

    times: list[float] = []

    class Clock(Callback):
        def on_train_batch_end(self, *_: object) -> None:
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        training.train(
            recipe_of(case, side),
            random_faces(case.batch * case.steps),
            Path(folder) / "run",
            progress=False,
            callbacks=[Clock()],
        )
    return rate(times, case.batch)


def recipe_of(case: Case, side: str) -> Recipe:
    """Return a recipe of one epoch."""
    from mien.recipe import parse_recipe

    return parse_recipe(
        {
            "name": "benchmark",
            "source": "benchmark",
            "data": {"dataset": "random"},
            "preprocess": {"mean": 0.0, "std": 255.0},
            "network": {"name": case.network, "options": case.options},
            "heads": [{"labels": "basic7"}],
            "optimiser": {"name": case.optimiser, "learning_rate": 1e-4},
            "training": {
                "epochs": 1,
                "batch_size": case.batch,
                **SIDES.get(side, {"precision": side}),
            },
        },
        "benchmark",
    )


def random_faces(count: int, val: int = 64) -> FaceDataset:
    """Return noise to train on, and some to validate on."""
    import numpy as np

    from mien.data.dataset import FaceDataset
    from mien.labels import label_set

    generator = np.random.default_rng(0)
    return FaceDataset(
        name="random",
        labels=label_set("basic7"),
        images=generator.integers(0, 256, (count + val, 48, 48), dtype=np.uint8),
        targets=generator.integers(0, 7, count + val),
        splits=np.array(["train"] * count + ["val"] * val),
        subjects=np.full(count + val, ""),
        sources=np.full(count + val, "random"),
        ids=np.arange(count + val).astype(str),
    )


def keras(case: Case) -> float:
    """Return images/s of Keras's training loop."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np
    import tensorflow as tf

    generator = np.random.default_rng(0)
    count = case.batch * case.steps
    channels = 3 if case.network == "chen" else 1
    images = generator.random((count, 48, 48, channels), dtype=np.float32)
    targets = generator.integers(0, 7, count)
    model = keras_network(case, channels)
    optimiser = (
        tf.keras.optimizers.RMSprop(1e-4, rho=0.9)
        if case.optimiser == "keras-rmsprop"
        else tf.keras.optimizers.Adam(1e-4)
    )
    model.compile(optimiser, "sparse_categorical_crossentropy", metrics=["accuracy"])
    times: list[float] = []

    class Clock(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            times.append(time.perf_counter())

    model.fit(images, targets, batch_size=case.batch, epochs=1, verbose=0, callbacks=[Clock()])
    return rate(times, case.batch)


KUSNO = {
    1: (32, 64, 128, 256, 512),
    2: (32, 64, 128, 256),
    3: (64, 64, 128, 128),
    4: (64, 32, 64, 32),
    5: (32, 64, 32, 64),
    6: (32, 64, 128, 128),
    7: (32, 64, 128, 256),
    8: (32, 32, 64, 64),
}

BLOCKS = {
    "fatimatuzzahra-basic": ((32, 64), False, 0.0, 128, 0.0),
    "fatimatuzzahra": ((32, 64, 128, 128), True, 0.2, 128, 0.2),
    "choudhari": ((32, 64, 128), False, 0.25, 256, 0.5),
    "mahastama": ((256, 512, 384, 192, 512), True, 0.5, 256, 0.5),
}
"""Filters, batch normalisation, dropout, dense units and their dropout."""


def keras_network(case: Case, channels: int) -> object:
    """Return the same layers in Keras."""
    import tensorflow as tf

    inside = keras_maps(case, tf.keras.layers)
    return tf.keras.Sequential([tf.keras.Input((48, 48, channels)), *inside])


def keras_maps(case: Case, k: Any) -> list[object]:
    """Return all layers but the input."""
    if case.network == "kusno-chowanda":
        return keras_kusno(int(str(case.options["model"])), k)
    if case.network == "chen":
        layers = []
        for filters, kernel, padding in ((6, 5, "same"), (16, 5, "same"), (64, 3, "valid")):
            layers += [
                k.Conv2D(filters, kernel, padding=padding, activation="relu"),
                k.MaxPool2D(),
            ]
        return [*layers, *keras_end(k, 128, False, 0.5)]
    filters, normalised, dropout, dense, dropped = BLOCKS[case.network]
    layers = []
    for count in case.options.get("filters", filters):
        layers.append(k.Conv2D(count, 3, padding="same", activation="relu"))
        layers += [k.BatchNormalization()] if normalised else []
        layers += [k.MaxPool2D(), k.Dropout(dropout)]
    return [*layers, *keras_end(k, dense, False, dropped)]


def keras_kusno(model: int, k: Any) -> list[object]:
    """Return the layers of one of Kusno and Chowanda's models."""
    first, second, *others = (k.Conv2D(count, 3, activation="relu") for count in KUSNO[model])
    layers = [first, second, k.MaxPool2D(), k.Dropout(0.25)]
    for layer in others:
        layers += [layer, k.MaxPool2D()]
    return [*layers, k.Dropout(0.25), *keras_end(k, 1024, model != 7, 0.5)]


def keras_end(k: Any, dense: int, normalised: bool, dropped: float) -> list[object]:
    """Return the layers after the maps."""
    norm = [k.BatchNormalization()] if normalised else []
    drop = [k.Dropout(dropped)] if dropped else []
    return [
        k.Flatten(),
        k.Dense(dense, activation="relu"),
        *norm,
        *drop,
        k.Dense(7, activation="softmax"),
    ]


def rate(times: list[float], batch: int) -> float:
    """Return images/s over the steps after the warm-up."""
    start = int(len(times) * WARM_UP)
    return batch * (len(times) - 1 - start) / (times[-1] - times[start])


def matmul_rate(precision: str) -> float:
    """Return the machine's multiply-accumulates a second in large matrix products, in 10^9."""
    import torch

    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    one = torch.randn(2048, 2048, dtype=kind)
    for _ in range(3):
        one @ one
    start = time.perf_counter()
    for _ in range(10):
        one @ one
    return 10 * 2048**3 / (time.perf_counter() - start) / 1e9


def measured(side: str, number: int, python: str) -> dict[str, float]:
    """Run one side of one case in a process of its own."""
    command = [python, __file__, "--side", side, "--case", str(number)]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stderr[-3000:]}")
    return json.loads(ended.stdout.splitlines()[-1])


def compare(numbers: list[int], peer: str | None, repeat: int) -> None:
    """Print a table: ours in its three ways, and Keras."""
    from mien.models import build_network
    from mien.models.cost import count_macs

    print(
        "network | ours, default | ours, fp32 | ours, fp32 direct | Keras fp32 | fp32 : direct"
        " | default : Keras | fp32 : Keras | memory: default, direct"
    )
    sides = [*SIDES, *(["keras"] if peer else [])]
    peak = matmul_rate("bf16")
    for number in numbers:
        case = CASES[number]
        found: dict[str, list[float]] = {side: [] for side in sides}
        memory = dict.fromkeys(sides, 0.0)
        for _ in range(repeat):
            for side in sides:
                result = measured(side, number, peer if side == "keras" else sys.executable)
                found[side].append(result["images"])
                memory[side] = max(memory[side], result["memory"])
        middle = {side: statistics.median(values) for side, values in found.items()}
        macs = count_macs(build_network(case.network, {"basic7": 7}, case.options), 48)
        share = 3 * macs * middle["auto"] / 1e9 / peak
        other = middle.get("keras", float("nan"))
        print(
            f"{case.recipe} (batch {case.batch}, {macs / 1e6:.0f} MMAC)"
            f" | {middle['auto']:,.0f} ({share:.0%} of bf16 peak) | {middle['fp32']:,.0f}"
            f" | {middle['direct']:,.0f} | {other:,.0f} | {middle['fp32'] / middle['direct']:.2f}"
            f" | {middle['auto'] / other:.2f} | {middle['fp32'] / other:.2f}"
            f" | {memory['auto'] / 1e9:.2f} GB, {memory['direct'] / 1e9:.2f} GB",
            flush=True,
        )


def main() -> None:
    """Compare, or measure one side of one case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keras", help="Python of an environment with TensorFlow.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--case", type=int, action="append", help="Only this case, from 0.")
    parser.add_argument("--side", choices=[*SIDES, "bf16", "keras"])
    options = parser.parse_args()
    if options.side is None:
        compare(options.case or list(range(len(CASES))), options.keras, options.repeat)
        return
    case = CASES[options.case[0]]
    images = keras(case) if options.side == "keras" else ours(case, options.side)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"images": images, "memory": memory}))


if __name__ == "__main__":
    main()
