"""`mien train` that is broken off before it begins, and `mien recipes` of a file."""

import dataclasses
import shutil

import numpy as np
import pytest

from makers import SMALL_RECIPE
from mien.data.store import write_store
from mien.evaluation import report
from mien.training import train


def test_control_c_before_the_run_begins_does_not_promise_to_resume(
    mien, small_fer2013, tmp_path, monkeypatch
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "training_batches", interrupted)
    faces, votes = small_fer2013
    sets = [part for override in SMALL_RECIPE for part in ("--set", override)]
    data = ["--data", faces, "--votes", votes]
    code, _, err = mien("train", "mien-base", *data, "--run", tmp_path / "run", *sets)
    assert code == 130
    assert "Interrupted before the first step: the same command begins anew." in err
    assert "--resume" not in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("more", [["--resume"], ["--tensorboard"], ["--devices", "2"]])
def test_a_search_for_a_rate_is_no_training(mien, more):
    code, _, err = mien("train", "mien-base", "--data", "none.zip", "--find-rate", *more)
    assert code == 2
    assert "--find-rate trains nothing: it goes with no" in " ".join(err.split())


def test_control_c_while_a_run_is_measured_says_how_it_goes_on(
    mien, small_run, small_fer2013, tmp_path, monkeypatch
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    run = shutil.copytree(small_run.folder, tmp_path / "run")
    monkeypatch.setattr(train, "train", lambda *_, **__: small_run)
    monkeypatch.setattr(report, "evaluate_run", interrupted)
    faces, votes = small_fer2013
    sets = [part for override in SMALL_RECIPE for part in ("--set", override)]
    data = ["--data", faces, "--votes", votes]
    code, _, err = mien("train", "mien-base", *data, "--run", run, "--resume", *sets)
    assert code == 130
    assert "the same command with --resume continues" in " ".join(err.split())


def test_faces_without_split_are_said_to_be_left_out(mien, small_dataset, tmp_path):
    splits = np.where(np.arange(len(small_dataset)) < 3, "", small_dataset.splits)
    write_store(dataclasses.replace(small_dataset, splits=splits), tmp_path / "faces")
    sets = [part for override in SMALL_RECIPE for part in ("--set", override)]
    too_many = ["--set", "training.batch_size=999", "--set", "schedule.warmup_epochs=1"]
    code, _, err = mien("train", "mien-base", "--data", tmp_path / "faces", *sets, *too_many)
    assert code == 2
    assert f"3 of {len(small_dataset)} faces have no split: they are left out." in err
    assert "warmup_epochs is 1, so that the learning rate rises" not in err
    short = ["--set", "training.epochs=1"]
    code, _, err = mien(
        "train", "mien-base", "--data", tmp_path / "faces", *sets, *too_many, *short
    )
    assert code == 2
    assert "warmup_epochs is 1, so that the learning rate rises through all 1 epochs." in " ".join(
        err.split()
    )


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", bytes(range(128, 256))])
def test_a_file_that_is_no_text_is_no_recipe(mien, tmp_path, content):
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    code, _, err = mien("recipes", path)
    assert (code, "own.toml is not TOML" in " ".join(err.split())) == (2, True)
    assert "Traceback" not in err
