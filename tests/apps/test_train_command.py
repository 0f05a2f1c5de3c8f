"""`mien train` that is broken off before it begins, and `mien recipes` of a file."""

import dataclasses

import numpy as np
import pytest

from makers import SMALL_RECIPE
from mien.data.store import write_store
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


def test_faces_without_split_are_said_to_be_left_out(mien, small_dataset, tmp_path):
    splits = np.where(np.arange(len(small_dataset)) < 3, "", small_dataset.splits)
    write_store(dataclasses.replace(small_dataset, splits=splits), tmp_path / "faces")
    sets = [part for override in SMALL_RECIPE for part in ("--set", override)]
    too_many = ["--set", "training.batch_size=999"]
    code, _, err = mien("train", "mien-base", "--data", tmp_path / "faces", *sets, *too_many)
    assert code == 2
    assert f"3 of {len(small_dataset)} faces have no split: they are left out." in err


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", bytes(range(128, 256))])
def test_a_file_that_is_no_text_is_no_recipe(mien, tmp_path, content):
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    code, _, err = mien("recipes", path)
    assert (code, "own.toml is not TOML" in " ".join(err.split())) == (2, True)
    assert "Traceback" not in err
