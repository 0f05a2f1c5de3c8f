import csv
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback

from makers import SMALL_RECIPE
from mien.errors import BusyError, DataError, MienError, RecipeError
from mien.evaluation.predict import predict
from mien.recipe import NetworkPart, find_recipe, load_recipe
from mien.training.faces import training_faces
from mien.training.run import Run
from mien.training.train import train

EPOCHS = 14


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *overrides])


def rows(run):
    with run.metrics_file.open() as file:
        return list(csv.DictReader(file))


def weights(run):
    return run.module().state_dict()


@pytest.fixture
def finished(small_run):
    return small_run


def test_a_run_holds_what_is_needed_to_judge_it(finished, small_dataset):
    assert finished.recipe() == recipe()
    assert finished.data()["fingerprint"] == small_dataset.fingerprint
    assert finished.data()["trained_on"]["faces"] == 55
    assert json.loads((finished.folder / "environment.json").read_text())["versions"]["torch"]
    epochs = range(1, EPOCHS + 1)
    assert [int(row["epoch"]) for row in rows(finished)] == list(epochs)
    assert finished.environment()["precision"] == "fp32"
    # 6 steps an epoch, 3 of them warm-up: the rate of each epoch's last step, not of the next.
    rates = [0.1 * (1 + np.cos(np.pi * (6 * n - 4) / (6 * EPOCHS - 3))) / 2 for n in epochs]
    assert [float(row["learning_rate"]) for row in rows(finished)] == pytest.approx(rates)
    assert (finished.folder / "curves.png").stat().st_size > 5_000
    assert finished.best.exists()
    assert finished.last.exists()


def test_the_network_learns_and_its_best_epoch_on_validation_is_kept(finished, small_dataset):
    accuracies = [float(row["val_accuracy"]) for row in rows(finished)]
    assert len(set(accuracies)) > 3
    assert max(accuracies) > 0.6
    kept = []
    for table in predict(finished.module(), small_dataset):
        val = table.judged("val")
        kept.append(np.mean(val.logits.argmax(1) == val.truth))
    assert np.mean(kept) == pytest.approx(max(accuracies), abs=1e-6)


def test_the_same_seed_gives_the_same_weights(finished, small_dataset, tmp_path):
    again = train(recipe(), small_dataset, tmp_path / "again", progress=False)
    assert rows(again) == rows(finished)
    for name, value in weights(again).items():
        assert torch.equal(value, weights(finished)[name]), name
    other = train(recipe("training.seed=1"), small_dataset, tmp_path / "other", progress=False)
    assert rows(other) != rows(finished)


SIGNALLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from mien.data.readers import read_dataset
from mien.data.votes import join_votes
from mien.training.module import ExpressionModule
from mien.training.train import train
from test_train import recipe

step = ExpressionModule.training_step

def signalled_step(self, batch, batch_idx):
    if self.current_epoch == {epoch} and batch_idx == {batch}:
        os.kill(os.getpid(), {signal})
    return step(self, batch, batch_idx)

ExpressionModule.training_step = signalled_step
train(recipe(), join_votes(read_dataset({faces!r}), {votes!r}), Path({folder!r}), progress=False)
"""


def signalled(small_fer2013, folder, **at):
    """A process that trains until it sends itself a signal, in an epoch and a batch of it."""
    faces, votes = map(str, small_fer2013)
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    script = SIGNALLED.format(paths=paths, faces=faces, votes=votes, folder=str(folder), **at)
    return subprocess.Popen([sys.executable, "-c", script])


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_result(finished, small_fer2013, small_dataset, tmp_path):
    run = Run(tmp_path / "killed")
    process = signalled(small_fer2013, run.folder, epoch=3, batch=3, signal=int(signal.SIGKILL))
    assert process.wait() == -signal.SIGKILL
    assert [row["epoch"] for row in rows(run)] == ["1", "2", "3"]
    # A folder that was moved must not forget which epoch was best.
    run = Run(run.folder.rename(tmp_path / "moved"))
    train(recipe(), small_dataset, run.folder, resume=True, progress=False)
    assert rows(run) == rows(finished)
    for name, value in weights(run).items():
        assert torch.equal(value, weights(finished)[name]), name


class Tries(Callback):
    """Tries to train in the run's folder once more, at the end of an epoch."""

    def __init__(self, dataset, folder):
        self.dataset, self.folder, self.told = dataset, folder, []

    def on_train_epoch_end(self, trainer, module):
        if trainer.current_epoch == 1:
            with pytest.raises(BusyError) as refused:
                train(recipe(), self.dataset, self.folder, resume=True, progress=False)
            self.told.append(str(refused.value))


def test_a_second_training_is_refused_and_the_first_is_not_disturbed(
    finished, small_dataset, tmp_path
):
    tries = Tries(small_dataset, tmp_path / "run")
    run = train(recipe(), small_dataset, tmp_path / "run", progress=False, callbacks=[tries])
    assert tries.told == [
        f"{run.folder} is being trained in by another process: wait until that has ended, or give"
        " another folder."
    ]
    assert run.metrics_file.read_text() == finished.metrics_file.read_text()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_a_killed_process_leaves_the_folder_free(finished, small_fer2013, small_dataset, tmp_path):
    run = Run(tmp_path / "run")
    process = signalled(small_fer2013, run.folder, epoch=2, batch=0, signal=int(signal.SIGSTOP))
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        with pytest.raises(BusyError, match="by another process"):
            train(recipe(), small_dataset, run.folder, resume=True, progress=False)
        assert run.epochs_done() == 2
    finally:
        process.kill()
        process.wait()
    train(recipe(), small_dataset, run.folder, resume=True, progress=False)
    assert run.metrics_file.read_text() == finished.metrics_file.read_text()


def test_a_run_is_not_overwritten_nor_mixed(finished, small_dataset):
    with pytest.raises(MienError, match="continue it with --resume"):
        train(recipe(), small_dataset, finished.folder, progress=False)
    with pytest.raises(MienError, match="holds a run of another recipe"):
        train(
            recipe("training.seed=5"), small_dataset, finished.folder, resume=True, progress=False
        )
    fewer = small_dataset.select(np.arange(8, len(small_dataset)))
    with pytest.raises(MienError, match="holds a run on other data"):
        train(recipe(), fewer, finished.folder, resume=True, progress=False)
    # The same training faces, other faces to select on.
    other = np.where(small_dataset.splits == "val", 0, small_dataset.targets)
    with pytest.raises(MienError, match="holds a run on other data"):
        train(
            recipe(),
            dataclasses.replace(small_dataset, targets=other),
            finished.folder,
            resume=True,
            progress=False,
        )


def test_resuming_a_finished_run_changes_nothing(finished, small_dataset, tmp_path):
    folder = Path(shutil.copytree(finished.folder, tmp_path / "copy"))
    again = train(recipe(), small_dataset, folder, resume=True, progress=False)
    assert rows(again) == rows(finished)
    for name, value in weights(again).items():
        assert torch.equal(value, weights(finished)[name]), name


def test_curves_that_were_not_drawn_are_drawn_when_the_run_is_resumed(
    finished, small_dataset, tmp_path
):
    run = Run(Path(shutil.copytree(finished.folder, tmp_path / "copy")))
    drawn = run.curves.read_bytes()
    run.curves.unlink()
    train(recipe(), small_dataset, run.folder, resume=True, progress=False)
    assert run.curves.read_bytes() == drawn


class Noted(Callback):
    """Notes the precision of a training; may end it in its second epoch, as Ctrl-C does."""

    def __init__(self, *, end=False):
        self.end, self.precision = end, ""

    def on_train_epoch_start(self, trainer, module):
        self.precision = trainer.precision
        if self.end and trainer.current_epoch == 1:
            raise KeyboardInterrupt


def test_a_run_of_auto_goes_on_in_the_precision_it_was_begun_in(small_dataset, tmp_path):
    two, run = recipe("training.precision=auto", "training.epochs=2"), Run(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        train(two, small_dataset, run.folder, progress=False, callbacks=[Noted(end=True)])
    begun = "fp32" if run.environment()["precision"] == "bf16" else "bf16"
    run.environment_file.write_text(json.dumps(run.environment() | {"precision": begun}))
    noted = Noted()
    train(two, small_dataset, run.folder, resume=True, progress=False, callbacks=[noted])
    assert noted.precision == {"fp32": "32-true", "bf16": "bf16-mixed"}[begun]
    assert run.epochs_done() == 2


def test_a_run_of_an_earlier_version_goes_on_whatever_it_said_without_effect(
    finished, small_dataset, tmp_path
):
    run = Run(Path(shutil.copytree(finished.folder, tmp_path / "copy")))
    idle = recipe().schedule.model_copy(update={"patience": 3})
    run.write_start(recipe().model_copy(update={"schedule": idle}), run.data(), "fp32", "winograd")
    assert "patience = 3" in run.recipe_file.read_text()
    assert run.recipe() == recipe()
    # Nor does it matter what it should reach.
    hopeless = recipe().model_copy(update={"expected": ()})
    again = train(hopeless, small_dataset, run.folder, resume=True, progress=False)
    assert rows(again) == rows(finished)


def test_twins_of_val_and_test_faces_are_left_out(small_dataset):
    kept = training_faces(recipe(), small_dataset)
    assert "fer2013-00000" not in kept.ids
    assert set(kept.splits) == {"train"}
    assert len(training_faces(recipe("data.drop_twins=false"), small_dataset)) == 56


def test_what_does_not_fit_is_one_sentence(small_dataset, tmp_path):
    with pytest.raises(RecipeError, match=r"at most the number of training faces, 55\. Got 64"):
        train(recipe("training.batch_size=64"), small_dataset, tmp_path / "a", progress=False)
    bare = dataclasses.replace(small_dataset, votes=None)
    with pytest.raises(RecipeError, match="'fer2013' has none: give --votes"):
        train(recipe(), bare, tmp_path / "b", progress=False)
    unlabelled = dataclasses.replace(small_dataset, targets=np.full(len(small_dataset), -1))
    with pytest.raises(RecipeError, match="Head 'basic7' learns from labels"):
        train(recipe(), unlabelled, tmp_path / "c", progress=False)


def test_a_folder_killed_before_its_first_step_starts_anew(finished, small_dataset, tmp_path):
    run = Run(tmp_path / "early")
    run.folder.mkdir()
    (run.folder / "data.json").write_text("{}")
    train(recipe(), small_dataset, run.folder, progress=False)
    assert rows(run) == rows(finished)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x05\x06" + bytes(18)])
def test_damaged_checkpoints_are_one_sentence(finished, small_dataset, tmp_path, content):
    run = Run(Path(shutil.copytree(finished.folder, tmp_path / "copy")))
    run.best.write_bytes(content)
    with pytest.raises(MienError, match=r"best\.ckpt is damaged"):
        run.module()
    run.last.write_bytes(content)
    with pytest.raises(MienError, match=r"last\.ckpt is damaged"):
        train(recipe(), small_dataset, run.folder, resume=True, progress=False)


def test_what_the_network_would_misread_is_refused(small_dataset, tmp_path):
    with pytest.raises(RecipeError, match=r"size of the dataset's images, 48x48\. Got 64"):
        train(recipe("preprocess.size=64"), small_dataset, tmp_path / "a", progress=False)
    torn = np.where((small_dataset.splits == "val")[:, None], 1, small_dataset.votes)
    disputed = dataclasses.replace(small_dataset, votes=torn.astype(np.uint8))
    with pytest.raises(RecipeError, match="no face of the split 'val' has a known truth"):
        train(recipe(), disputed, tmp_path / "c", progress=False)
    if not torch.cuda.is_available():
        with pytest.raises(RecipeError, match=r"without a CUDA device\. Got fp16 instead"):
            train(recipe("training.precision=fp16"), small_dataset, tmp_path / "d", progress=False)
    for network, options in (("kusno-chowanda", {}), ("mahastama", {"filters": [8] * 6})):
        alone = recipe("training.batch_size=1").model_copy(
            update={"network": NetworkPart(name=network, options=options)}
        )
        with pytest.raises(RecipeError, match=f"must be 2 or more .*'{network}' normalises"):
            train(alone, small_dataset, tmp_path / "e", progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a::b", "a::b/below", "a/../b::"])
def test_a_folder_that_checkpoints_would_miss_is_refused(small_dataset, tmp_path, name):
    (tmp_path / "a").mkdir()
    sentence = r"A run's folder must be a path without '::'\. Got .*b.* instead"
    with pytest.raises(MienError, match=sentence):
        train(recipe(), small_dataset, tmp_path / name, progress=False)
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]
    with pytest.raises(MienError, match=sentence):
        Run(tmp_path / name).check_free()


def test_a_run_that_was_moved_to_such_a_folder_is_not_resumed(finished, small_dataset, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "a::b")
    with pytest.raises(MienError, match="must be a path without '::'"):
        train(recipe(), small_dataset, tmp_path / "a::b", resume=True, progress=False)


def test_a_folder_below_one_that_checkpoints_would_miss_is_refused(
    small_dataset, tmp_path, monkeypatch
):
    (tmp_path / "a::b").mkdir()
    monkeypatch.chdir(tmp_path / "a::b")
    with pytest.raises(MienError, match="must be a path without '::'"):
        train(recipe(), small_dataset, Path("run"), progress=False)


def test_faces_that_no_split_has_are_not_left_out_in_silence(small_dataset, tmp_path):
    sources = np.where(np.arange(len(small_dataset)) % 3, "fer2013", "own")
    splits = np.where(sources == "own", "", small_dataset.splits)
    mixed = dataclasses.replace(small_dataset, sources=sources, splits=splits)
    with pytest.raises(DataError, match="'own' has no splits and others of 'fer2013' have"):
        train(recipe(), mixed, tmp_path / "run", progress=False)
