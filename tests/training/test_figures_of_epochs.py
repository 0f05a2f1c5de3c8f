"""What a run logs of each epoch, on the training faces and on those of validation."""

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from sklearn.metrics import accuracy_score, f1_score

from makers import SMALL_RECIPE
from mien.data.dataset import NO_TARGET
from mien.evaluation import metrics
from mien.evaluation.expected import measured
from mien.evaluation.predict import predict
from mien.recipe import ExpectedFigure, find_recipe, load_recipe
from mien.training.batches import Batches
from mien.training.counts import accuracy, confusion, hits, macro_f1
from mien.training.curves import draw_curves
from mien.training.faces import training_faces
from mien.training.run import Run
from mien.training.train import train

STILL = [
    "optimiser={name='sgd', learning_rate=1e-30, momentum=0.0}",
    "schedule={name='constant'}",
    "network={name='kusno-chowanda', options={filters=[8, 8, 8, 8], dense=64, batch_norm=false,"
    " dropout=0.0, dense_dropout=0.0}}",
    "augmentation={}",
    "training.batch_size=11",
    "training.ema_decay=0.0",
    "training.epochs=2",
]
"""A training that changes nothing, of a network that sees each face by itself: 5 batches of 55."""


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *overrides])


def rows(run):
    with run.metrics_file.open() as file:
        return list(csv.DictReader(file))


def test_figures_of_counts_are_scikit_learns():
    random = np.random.default_rng(0)
    truth = random.integers(0, 5, 200)
    logits = random.normal(size=(200, 5)).astype(np.float32)
    logits[np.arange(200), truth] += 1
    truth[::7] = NO_TARGET
    truth[truth == 3] = 2  # which some decisions name nonetheless
    counts = confusion(torch.from_numpy(logits), torch.from_numpy(truth))
    known = truth != NO_TARGET
    named, right = logits.argmax(1)[known], truth[known]
    assert accuracy(counts) == pytest.approx(accuracy_score(right, named), abs=1e-6)
    wanted = f1_score(right, named, labels=[0, 1, 2, 4], average="macro")
    assert macro_f1(counts) == pytest.approx(wanted, abs=1e-6)
    assert macro_f1(counts) == pytest.approx(metrics.macro_f1(right, logits[known]))
    nothing = torch.zeros(3, 3, dtype=torch.int64)
    assert (accuracy(nothing), macro_f1(nothing)) == (0, 0)


def test_hits_are_of_faces_that_are_shown_and_have_a_truth():
    logits, truth = torch.eye(4), torch.tensor([0, 1, 3, NO_TARGET])
    assert [float(count) for count in hits(logits, truth)] == [2, 3]
    shown = torch.tensor([False, True, True, True])
    assert [float(count) for count in hits(logits, truth, shown)] == [1, 2]


@pytest.fixture(scope="module")
def partly_known(small_dataset):
    """The small dataset, in which 9 training faces have no label."""
    targets = small_dataset.targets.copy()
    targets[np.flatnonzero(small_dataset.splits == "train")[5:14]] = NO_TARGET
    return dataclasses.replace(small_dataset, targets=targets)


@pytest.fixture(scope="module")
def still(partly_known, tmp_path_factory):
    folder = tmp_path_factory.mktemp("still") / "run"
    return train(recipe(*STILL), partly_known, folder, progress=False)


def test_the_accuracy_on_training_faces_is_of_those_with_a_truth(still, partly_known):
    faces = training_faces(recipe(*STILL), partly_known)
    (batch,) = Batches(faces, recipe(*STILL).heads, len(faces), shuffle=False)
    module, found = still.module(), []
    with torch.inference_mode():
        logits = module(module.on_after_batch_transfer(batch, 0).images)
    for name, count in (("ferplus8", 55), ("basic7", 46)):
        known = batch.truth[name] != NO_TARGET
        assert int(known.sum()) == count
        right = accuracy_score(batch.truth[name][known], logits[name].argmax(1)[known])
        found.append(right)
        for row in rows(still):
            assert float(row[f"train_accuracy_{name}"]) == pytest.approx(right, abs=1e-6)
    assert float(rows(still)[-1]["train_accuracy"]) == pytest.approx(np.mean(found), abs=1e-6)
    assert 0 < np.mean(found) < 1


def test_the_macro_f1_on_validation_is_that_of_each_head_and_their_mean(small_run, small_dataset):
    best, found = small_run.best_epoch(), []
    for table in predict(small_run.module(), small_dataset):
        val = table.judged("val")
        found.append(metrics.macro_f1(val.truth, val.logits))
        name = f"val_macro_f1_{table.labels.name}"
        assert best[name] == pytest.approx(found[-1], abs=1e-6)
    assert best["val_macro_f1"] == pytest.approx(np.mean(found), abs=1e-6)


@pytest.mark.parametrize("mixed", ["mixup", "cutmix"])
def test_of_mixed_faces_no_accuracy_is_counted(small_dataset, tmp_path, mixed):
    wanted = recipe(*STILL, f"augmentation={{{mixed}=1.0}}")
    run = train(wanted, small_dataset, tmp_path / "run", progress=False)
    assert not [name for name in rows(run)[0] if name.startswith("train_accuracy")]
    assert rows(run)[0]["train_loss"]


def test_sharpness_counts_each_face_once(still, partly_known, tmp_path):
    wanted = recipe(*STILL, "optimiser.sam=1e-9")
    run = train(wanted, partly_known, tmp_path / "run", progress=False)
    assert [r["train_accuracy"] for r in rows(run)] == [r["train_accuracy"] for r in rows(still)]


class EndsInTheThird(Callback):
    """Ends a training in its third epoch as Ctrl-C does."""

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == 2:
            raise KeyboardInterrupt


def lose(run, columns):
    """Make of a broken-off run one of a version that did not log some figures."""
    kept = [{n: v for n, v in row.items() if not n.startswith(columns)} for row in rows(run)]
    with run.metrics_file.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]))
        writer.writeheader()
        writer.writerows(kept)
    for path in (run.best, run.last):
        state = torch.load(path, weights_only=True)
        for callback in state["callbacks"].values():
            if "rows" in callback:
                callback["rows"] = [
                    {n: v for n, v in row.items() if not n.startswith(columns)}
                    for row in callback["rows"]
                ]
        torch.save(state, path)


def test_a_run_of_a_version_without_these_figures_goes_on(small_run, small_dataset, tmp_path):
    run = Run(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), small_dataset, run.folder, progress=False, callbacks=[EndsInTheThird()])
    lose(run, ("train_accuracy", "val_macro_f1"))
    train(recipe(), small_dataset, run.folder, resume=True, progress=False)
    assert [row["train_accuracy"] == "" for row in rows(run)] == [True] * 2 + [False] * 12
    whole = small_run.epochs()
    assert run.epochs()[2:] == whole[2:]
    assert run.epochs()[0].items() < whole[0].items()
    assert run.curves.exists()
    lines = {line.get_label(): line for line in draw_curves(run.metrics_file).axes[1].get_lines()}
    assert (
        np.isnan(lines["train accuracy basic7"].get_ydata()).tolist() == [True] * 2 + [False] * 12
    )


def test_curves_show_both_accuracies_and_those_of_earlier_runs_theirs(small_run, tmp_path):
    names = [line.get_label() for line in draw_curves(small_run.metrics_file).axes[1].get_lines()]
    assert names == [
        f"{split} accuracy{head}"
        for split in ("val", "train")
        for head in (" basic7", " ferplus8", "")
    ]
    run = Run(Path(shutil.copytree(small_run.folder, tmp_path / "run")))
    lose(run, ("train_accuracy", "val_macro_f1"))
    names = [line.get_label() for line in draw_curves(run.metrics_file).axes[1].get_lines()]
    assert names == ["val accuracy basic7", "val accuracy ferplus8", "val accuracy"]


def figure(metric, split, head="basic7"):
    return ExpectedFigure(
        metric=metric, head=head, value=0.7, tolerance=0.1, source="here", split=split
    )


def test_what_is_expected_on_training_and_validation_is_of_the_chosen_epoch(small_run, tmp_path):
    best = small_run.best_epoch()
    assert measured(figure("accuracy", "train"), [], small_run) == best["train_accuracy_basic7"]
    assert measured(figure("macro_f1", "val"), [], small_run) == best["val_macro_f1_basic7"]
    assert measured(figure("macro_f1", "train"), [], small_run) is None
    assert measured(figure("accuracy", "test"), [], small_run) is None
    earlier = Run(Path(shutil.copytree(small_run.folder, tmp_path / "run")))
    lose(earlier, ("train_accuracy", "val_macro_f1"))
    assert measured(figure("accuracy", "train"), [], earlier) is None


@pytest.mark.parametrize("select", ["val_macro_f1", "val_macro_f1_basic7"])
def test_the_epoch_that_is_best_by_f1_is_kept(small_dataset, tmp_path, select):
    # One class of validation is rare: an epoch that is best by accuracy need not be so by F1.
    rare = np.flatnonzero((small_dataset.splits == "val") & (small_dataset.targets == 1))[1:]
    faces = small_dataset.select(np.setdiff1d(np.arange(len(small_dataset)), rare))
    wanted = recipe(f"training.select={select}", "training.epochs=6")
    run = train(wanted, faces, tmp_path / "run", progress=False)
    values = [epoch[select] for epoch in run.epochs()]
    best = torch.load(run.best, map_location="cpu", weights_only=True)
    assert best["epoch"] == int(np.argmax(values))
    assert run.best_epoch()[select] == max(values) > min(values)


def test_early_stopping_and_the_plateau_go_by_f1(small_dataset, tmp_path):
    wanted = recipe(
        *STILL,
        "optimiser.learning_rate=1e-7",  # smaller ones PyTorch does not reduce
        "training.select=val_macro_f1",
        "training.patience=3",
        "training.epochs=9",
        "schedule={name='plateau', monitor='val_macro_f1', patience=2, factor=0.5}",
    )
    run = train(wanted, small_dataset, tmp_path / "run", progress=False)
    rates = [float(row["learning_rate"]) / 1e-7 for row in rows(run)]
    assert rates == pytest.approx([1, 1, 1, 0.5])
    assert run.stopped_early()


def test_a_head_without_a_truth_in_training_has_no_accuracy(small_dataset, tmp_path):
    # Raters who disagree about every training face name no class, though they say something.
    torn = np.where((small_dataset.splits == "train")[:, None], 1, small_dataset.votes)
    faces = dataclasses.replace(small_dataset, votes=torn.astype(np.uint8))
    run = train(recipe(*STILL), faces, tmp_path / "run", progress=False)
    assert {row["train_accuracy_ferplus8"] for row in rows(run)} == {"nan"}
    assert float(rows(run)[0]["train_accuracy_basic7"]) > 0
