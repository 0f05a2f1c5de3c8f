"""`mien train --seeds`: several seeds trained, measured, interrupted and reported."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from interruption import interrupt_at
from makers import SMALL_RECIPE, drawn_face, write_photo
from mien.training import train
from mien.training.run import Run

TINY = [
    *SMALL_RECIPE,
    "network.options={stem = 8, channels = [8], blocks = [1], dropout = 0.0}",
    'heads=[{labels = "basic7"}]',
    "signals=[]",
    "training.batch_size=16",
    "training.epochs=2",
]


def sets(*more):
    return [part for override in (*TINY, *more) for part in ("--set", override)]


def command(small_fer2013, folder, *more, seeds="0,4"):
    faces = small_fer2013[0]
    return ["train", "mien-base", "--data", faces, "--run", folder, "--seeds", seeds, *sets(*more)]


def words(text):
    return " ".join(text.split())


@pytest.mark.slow
def test_seeds_that_were_interrupted_end_as_others_and_can_be_added_to(
    mien, small_fer2013, tmp_path, monkeypatch
):
    code, printed, err = mien(*command(small_fer2013, tmp_path / "whole"))
    assert code == 0, err
    assert "Seed 0, 1 of 2" in err
    assert "Seed 4: epoch" in err
    assert "basic7, test: 2 seeds" in printed
    assert f"Open {tmp_path / 'whole' / 'seeds.html'}" in words(err)
    folder = tmp_path / "broken"
    with monkeypatch.context() as patch:
        interrupt_at(patch, 4)  # in seed 4's second epoch
        code, _, err = mien(*command(small_fer2013, folder))
    assert code == 130
    assert "the same command with --resume continues after the last whole epoch" in words(err)
    assert (folder / "seed-0" / "evaluation" / "report.html").exists()
    assert not (folder / "seeds.json").exists()
    assert "continue them with --resume" in mien(*command(small_fer2013, folder)).err
    seen = interrupt_at(monkeypatch, 0)
    code, again, err = mien(*command(small_fer2013, folder), "--resume")
    assert (code, seen, again) == (0, [1], printed)
    for name in ("seeds.csv", "seeds.json"):
        assert (folder / name).read_text() == (tmp_path / "whole" / name).read_text()
    _check_outputs(folder)
    _check_more_and_fewer(mien, small_fer2013, folder, seen)


def _check_outputs(folder):
    table = pd.read_csv(folder / "seeds.csv")
    assert table["seed"].tolist() == [0, 4]
    assert table["output"].tolist() == ["basic7"] * 2
    (head,) = json.loads((folder / "seeds.json").read_text())["heads"]
    for metric in ("val_accuracy", "accuracy", "macro_f1", "nll", "ece"):
        found, values = head["figures"]["all"][metric], table[metric]
        assert found["mean"] == pytest.approx(values.mean())
        assert found["deviation"] == pytest.approx(values.std())
        half, most = stats.t.ppf(0.975, 1) * stats.sem(values), np.inf if metric == "nll" else 1
        ends = max(values.mean() - half, 0), min(values.mean() + half, most)
        assert (found["low"], found["high"]) == pytest.approx(ends)
    assert table["nll"].std() > 0
    for seed in (0, 4):
        run = Run(folder / f"seed-{seed}")
        (report,) = json.loads((run.folder / "report.json").read_text())
        accuracy = next(f for f in report["figures"] if f["metric"] == "accuracy")
        row = table.set_index("seed").loc[seed]
        assert row["accuracy"] == accuracy["value"]
        assert row["epoch"] == run.best_epoch()["epoch"]
        assert row["val_accuracy"] == run.best_epoch()["val_accuracy_basic7"]
    page = (folder / "seeds.html").read_text()
    assert page.count("<img") == 1
    assert 'src="http' not in page
    assert "All seeds judge the same faces" in page
    assert 'href="seed-4/evaluation/report.html"' in page


def _check_more_and_fewer(mien, small_fer2013, folder, seen):
    seen.clear()
    more = command(small_fer2013, folder, seeds="0,4,2")
    code, printed, err = mien(*more, "--resume")
    assert (code, seen) == (0, [0, 1]), err
    assert "3 seeds" in printed
    code, _, err = mien(*command(small_fer2013, folder), "--resume")
    assert (code, seen) == (0, [0, 1])
    assert "runs of other seeds, too, which are not counted here: 2." in words(err)
    assert "not counted here: 2." in (folder / "seeds.html").read_text()
    assert json.loads((folder / "seeds.json").read_text())["left_out"] == [2]
    code, _, err = mien(*command(small_fer2013, folder, "training.epochs=3"), "--resume")
    assert (code, "seed-0 holds a run of another recipe" in words(err)) == (2, True)


@pytest.mark.slow
def test_seeds_of_photos_are_cut_out_once_and_begin_with_one_model(mien, small_model, tmp_path):
    random = np.random.default_rng(0)
    for code, name in ((0, "angry"), (3, "happy")):
        for number in range(20):
            face = drawn_face(code, random).repeat(2, 0).repeat(2, 1)
            write_photo(tmp_path / "mine" / name / f"{number}.png", face)
    folder = tmp_path / "runs"
    few = ["--set", "training.epochs=2", "--set", "training.batch_size=8"]
    given = ["train", "--from", small_model, "--data", tmp_path / "mine", "--run", folder, *few]
    code, printed, err = mien(*given, "--seeds", "1,2")
    assert code == 0, err
    assert "40 of 40 photos" in err
    assert "begins with, or learns from, the same finished network" in words(err)
    page = words((folder / "seeds.html").read_text())
    assert "Each seed judges other faces" in page
    assert "begins with, or learns from, the same finished network" in page
    prints = {Run(folder / f"seed-{seed}").data()["fingerprint"] for seed in (1, 2)}
    assert len(prints) == 2
    code, again, err = mien(*given, "--seeds", "1,2", "--resume")
    assert (code, again) == (0, printed)
    assert "The faces are in" not in err


def test_an_interruption_before_the_first_step_does_not_promise_to_resume(
    mien, small_fer2013, tmp_path, monkeypatch
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "training_batches", interrupted)
    folder = tmp_path / "runs"
    # By their labels no face shows contempt.
    heads = 'heads=[{labels = "ferplus8"}]'
    code, _, err = mien(*command(small_fer2013, folder, heads))
    assert code == 130
    assert "Interrupted before the first step: the same command begins anew." in words(err)
    assert "No training face shows contempt, which 'ferplus8' has." in words(err)
    assert not folder.exists()
    one = ["train", "mien-base", "--data", small_fer2013[0], "--run", folder, *sets(heads)]
    code, _, err = mien(*one)
    assert code == 130
    assert "No training face shows contempt, which 'ferplus8' has." in words(err)


@pytest.mark.parametrize(
    ("seeds", "more", "sentence"),
    [
        ("3", [], "two or more, such as 0,1,2: one alone has no interval. Got 3."),
        ("", [], "whole numbers with commas between, such as 0,1,2. Got ''."),
        ("0,one", [], "whole numbers with commas between, such as 0,1,2. Got '0,one'."),
        ("0,-1", [], "whole numbers with commas between, such as 0,1,2. Got '0,-1'."),
        ("0,1,0", [], "Got 0 twice in 0,1,0."),
        ("0,4294967296", [], "from 0 to 4294967295. Got 4294967296 instead."),
        ("0,1", ["--set", "training.seed=3"], "--set training.seed=3: --seeds 0,1 sets this key"),
        ("0,1", ["--find-rate"], "--find-rate trains nothing: it goes with no --resume, --seeds"),
        ("0,1", ["--resume"], "holds no runs of seeds to resume"),
        ("0,1", ["--set", "training.batch_size=999"], "training.batch_size must be at most"),
    ],
)
def test_mistakes_with_seeds_are_one_sentence(mien, small_fer2013, tmp_path, seeds, more, sentence):
    folder = tmp_path / "runs"
    code, _, err = mien(*command(small_fer2013, folder, seeds=seeds), *more)
    assert (code, sentence in words(err)) == (2, True), err
    assert "Traceback" not in err
    assert not folder.exists()


def test_the_folder_of_a_single_run_is_none_of_seeds(mien, small_fer2013, small_run):
    code, _, err = mien(*command(small_fer2013, small_run.folder))
    assert code == 2
    assert "is no folder of seeds and not empty" in words(err)
