"""Trainings that stop, break or run on several devices."""

import csv
import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback

from makers import SMALL_RECIPE
from mien.data.dataset import NO_TARGET
from mien.data.store import write_store
from mien.errors import TrainingError
from mien.recipe import find_recipe, load_recipe
from mien.training.batches import Batches
from mien.training.machine import Machine
from mien.training.run import Run
from mien.training.train import train

sys.path.append(str(Path(__file__).parents[1] / "inference"))
from tiny_models import write_model


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *overrides])


def rows(run):
    with run.metrics_file.open() as file:
        return list(csv.DictReader(file))


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_weights(small_dataset, tmp_path):
    wild = recipe("optimiser.learning_rate=1e30", "schedule.name=constant", "training.epochs=3")
    stopped = r"The loss became (nan|inf) at step \d+, in epoch 1: .* nothing is kept"
    with pytest.raises(TrainingError, match=stopped):
        train(wild, small_dataset, tmp_path / "run", progress=False)
    calm = recipe("training.epochs=2", "schedule.name=constant")
    run = train(calm, small_dataset, tmp_path / "calm", progress=False)
    kept = run.best.read_bytes()
    longer = calm.model_copy(update={"training": calm.training.model_copy(update={"epochs": 3})})
    run.write_start(longer, run.data(), "fp32")
    blind = dataclasses.replace(small_dataset)
    module_loss = "mien.training.losses.ShareLoss.forward"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module_loss, lambda self, logits, shares: logits.sum() * float("nan"))
        with pytest.raises(TrainingError, match=r"in epoch 3: .* epochs before are kept"):
            train(longer, blind, run.folder, resume=True, progress=False)
    assert run.best.read_bytes() == kept
    assert run.epochs_done() == 2


def test_weights_that_the_last_step_ruined_are_not_kept(small_dataset, tmp_path):
    one_step = ["training.batch_size=55", "training.epochs=1", "schedule.warmup_epochs=0"]
    wild = recipe("optimiser.learning_rate=1e38", "schedule.name=constant", *one_step)
    stopped = "The loss on validation became (nan|inf) at step 1, in epoch 1"
    with pytest.raises(TrainingError, match=stopped):
        train(wild, small_dataset, tmp_path / "run", progress=False)
    assert not Run(tmp_path / "run").best.exists()


@pytest.mark.parametrize("size", [4, 256])
def test_the_loss_on_validation_is_the_mean_over_the_faces_with_a_truth(
    small_dataset, tmp_path, monkeypatch, size
):
    monkeypatch.setattr("mien.training.train.VAL_BATCH", size)
    targets = small_dataset.targets.copy()
    val = np.flatnonzero(small_dataset.splits == "val")
    targets[val[1:4]] = NO_TARGET  # one face of the first batch of four is left
    dataset = dataclasses.replace(small_dataset, targets=targets)
    one = recipe("training.epochs=1")
    run = train(one, dataset, tmp_path / "run", progress=False)
    module = run.module()
    faces = dataset.in_split("val")
    (batch,) = Batches(faces, one.heads, len(faces), shuffle=False, signals=one.signals)
    with torch.inference_mode():
        batch = module.on_after_batch_transfer(batch, 0)
        wanted = float(module.loss(module(batch.images), batch))
    assert run.best_epoch()["val_loss"] == pytest.approx(wanted, rel=1e-5)


def test_training_stops_when_nothing_improves_and_is_then_finished(small_dataset, tmp_path):
    still = recipe("optimiser.learning_rate=1e-12", "training.patience=2", "training.ema_decay=0.0")
    run = train(still, small_dataset, tmp_path / "run", progress=False)
    assert len(rows(run)) == 3
    assert run.stopped_early()
    assert run.epochs_done() == 3
    again = train(still, small_dataset, run.folder, resume=True, progress=False)
    assert len(rows(again)) == 3


def test_selecting_by_loss_keeps_the_smallest(small_dataset, tmp_path):
    chosen = recipe(
        "training.select=val_loss",
        "training.epochs=4",
        "schedule.name=plateau",
        "schedule.warmup_epochs=0",
        "schedule.patience=1",
        "schedule.min_delta=10.0",
    )
    run = train(chosen, small_dataset, tmp_path / "run", progress=False)
    losses = [float(row["val_loss"]) for row in rows(run)]
    assert float(rows(run)[-1]["learning_rate"]) < 0.1 * 0.1
    best = torch.load(run.best, map_location="cpu", weights_only=True)
    assert best["epoch"] == int(np.argmin(losses))


class EndAfter(Callback):
    """Ends a training as Ctrl-C does, in the epoch after some."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == self.epochs:
            raise KeyboardInterrupt


def test_a_plateau_is_resumed_where_it_was(small_dataset, tmp_path):
    stalled = recipe(
        "training.epochs=6",
        "schedule.name=plateau",
        "schedule.warmup_epochs=0",
        "schedule.patience=2",
        "schedule.min_delta=10.0",
        "training.ema_decay=0.0",
    )
    whole = train(stalled, small_dataset, tmp_path / "whole", progress=False)
    with pytest.raises(KeyboardInterrupt):
        train(stalled, small_dataset, tmp_path / "cut", progress=False, callbacks=[EndAfter(3)])
    cut = train(stalled, small_dataset, tmp_path / "cut", resume=True, progress=False)
    assert len({row["learning_rate"] for row in rows(whole)}) >= 3
    assert rows(cut) == rows(whole)


def test_logs_for_tensorboard_are_written(small_dataset, tmp_path):
    machine = Machine(tensorboard=True)
    run = train(
        recipe("training.epochs=1"),
        small_dataset,
        tmp_path / "run",
        progress=False,
        machine=machine,
    )
    assert list((run.folder / "tensorboard").glob("events.*"))


def test_machines_are_checked():
    with pytest.raises(TrainingError, match="multiple of the devices that share it, 3"):
        Machine(devices=3).check(8)
    with pytest.raises(TrainingError, match=r"1 or more devices and machines\. Got 0 and 1"):
        Machine(devices=0)
    with pytest.raises(TrainingError, match="must be started by torchrun or Slurm"):
        Machine(machines=2)


@pytest.mark.parametrize("name", ["RANK", "SLURM_PROCID"])
def test_a_process_that_is_alone_leads_whatever_number_it_has(
    small_dataset, tmp_path, monkeypatch, name
):
    monkeypatch.setenv(name, "3")
    run = train(recipe("training.epochs=1"), small_dataset, tmp_path / "run", progress=False)
    assert run.is_finished()
    assert run.curves.exists()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "7")
    assert not Machine().leads
    monkeypatch.setenv(name, "0")
    assert Machine().leads


TOGETHER = """
import json
import sys
from pathlib import Path
from mien.data.store import read_store
from mien.recipe import find_recipe, load_recipe
from mien.training.machine import Machine
from mien.training.train import train

if __name__ == "__main__":
    recipe = load_recipe(find_recipe("mien-base"), json.loads(sys.argv[3]))
    faces = read_store(sys.argv[1])
    train(recipe, faces, Path(sys.argv[2]), machine=Machine(devices=2))
"""

PLAIN = [
    "network.name=fatimatuzzahra-basic",
    "network.options={}",
    "augmentation={}",
    "schedule.name=constant",
    "schedule.warmup_epochs=0",
    "training.ema_decay=0.0",
    "training.precision=fp32",
    "training.convolutions=direct",
    "optimiser.learning_rate=0.01",
]
"""Nothing random but the order, and nothing that depends on the share a process sees."""


def trained_by_two(overrides, dataset, folder):
    write_store(dataset, folder / "store")
    script = folder / "together.py"
    script.write_text(TOGETHER)
    given = json.dumps([*SMALL_RECIPE, *overrides])
    command = [sys.executable, script, folder / "store", folder / "run", given]
    tests = __file__.rsplit("/", 2)[0]
    ended = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": tests, "PATH": "/usr/bin"}
    )
    assert ended.returncode == 0, ended.stderr
    assert len(re.findall(r"^Epoch +1 +train_loss", ended.stderr, re.MULTILINE)) == 1
    return Run(folder / "run")


@pytest.mark.slow
def test_two_processes_train_together(small_dataset, tmp_path):
    model = write_model(tmp_path / "teacher.onnx")
    taught = f"distillation={{teacher = '{model}'}}"
    # Wide enough for the convolutions of fewer multiplications.
    wide = "network.options={stem = 16, channels = [64], blocks = [1], dropout = 0.0}"
    run = trained_by_two(["training.epochs=3", taught, wide], small_dataset, tmp_path)
    assert len(rows(run)) == 3
    assert run.epochs_done() == 3
    assert np.isfinite([float(row["val_loss"]) for row in rows(run)]).all()
    assert (run.folder / "curves.png").exists()


@pytest.mark.slow
def test_two_processes_learn_what_one_does(small_dataset, tmp_path):
    overrides = [*PLAIN, "training.epochs=2"]
    together = trained_by_two(overrides, small_dataset, tmp_path)
    alone = train(recipe(*overrides), small_dataset, tmp_path / "alone", progress=False)
    for one, two in zip(rows(alone), rows(together)):
        assert {k: float(v) for k, v in one.items()} == pytest.approx(
            {k: float(v) for k, v in two.items()}, rel=1e-3
        )
    weights = (run.module().network.state_dict() for run in (alone, together))
    for one, two in zip(*(w.values() for w in weights)):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-4)


FULL_DISK = """
import resource, sys
from pathlib import Path
from makers import SMALL_RECIPE
from mien.data.store import read_store
from mien.recipe import find_recipe, load_recipe
from mien.training.train import train

recipe = load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, "training.epochs=3"])
faces = read_store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
train(recipe, faces, Path(sys.argv[2]), resume=True, progress=False)
"""


@pytest.mark.slow
def test_a_full_disk_leaves_the_previous_checkpoint(small_dataset, tmp_path):
    write_store(small_dataset, tmp_path / "store")
    run = train(recipe("training.epochs=2"), small_dataset, tmp_path / "run", progress=False)
    run.write_start(recipe("training.epochs=3"), run.data(), "fp32")
    kept = run.last.read_bytes()
    command = [sys.executable, "-c", FULL_DISK, tmp_path / "store", run.folder]
    tests = __file__.rsplit("/", 2)[0]
    ended = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": tests, "PATH": "/usr/bin"}
    )
    assert ended.returncode != 0
    assert "File too large" in ended.stderr
    assert run.last.read_bytes() == kept
    assert run.epochs_done() == 2
