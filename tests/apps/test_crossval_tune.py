import json

import pandas as pd
import pytest

from makers import SMALL_RECIPE
from mien.recipe import load_recipe
from mien.training.cross_validation import CrossValidation
from mien.training.tuning.tune import Search
from mien.training.tuning.watching import Watch

TINY = [
    *SMALL_RECIPE,
    "network.options={stem = 8, channels = [8], blocks = [1], dropout = 0.0}",
    'heads=[{labels = "basic7"}]',
    "signals=[]",
    "training.batch_size=16",
    "training.epochs=1",
    "schedule.warmup_epochs=0",
]


def sets(*more):
    return [part for override in (*TINY, *more) for part in ("--set", override)]


@pytest.mark.slow
def test_folds_are_made_trained_judged_and_audited(mien, small_fer2013, tmp_path):
    faces, folder, file = small_fer2013[0], tmp_path / "cv", tmp_path / "folds.json"
    mien("data", "split", faces, "--folds", "2", "--save", file)
    command = ["crossval", "mien-base", "--data", faces, "--run", folder, *sets()]
    code, out, err = mien(*command, "--from", file, "--with-test", "--select-on-fold")
    assert code == 0, err
    assert "all folds, with 95 % intervals" in out
    assert "balanced accuracy" in out
    assert "Selected on the held-out folds" in err
    assert json.loads((folder / "crossval.json").read_text())["selected_on_held_out_fold"]
    page = (folder / "crossval.html").read_text()
    assert "Selected on the held-out folds" in page
    table = pd.read_parquet(folder / "out-of-fold.parquet")
    assert len(table) == 84
    assert table.drop(columns="id").sum(axis=1).tolist() == pytest.approx([1] * 84)
    code, _, err = mien(
        "data", "audit", faces, "--check", "label-noise", "--out", tmp_path / "audit",
        "--probabilities", folder / "out-of-fold.parquet",
    )  # fmt: skip
    assert code == 0, err
    assert "continue it with --resume" in mien(*command, "--from", file, "--with-test").err
    code, again, _ = mien(*command, "--from", file, "--with-test", "--select-on-fold", "--resume")
    assert (code, again) == (0, out)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "needs either --folds or --from"),
        (["--folds", "2", "--from", "folds.json"], "needs either --folds or --from"),
        (["--folds", "11"], "smallest class, 10. Got 11 instead"),
        (["--folds", "3", "--keep", "subjcts"], "did you mean 'subjects'"),
        (["--folds", "3", "--keep", "subjects"], "cannot be split by subject"),
        (["--from", "none.json"], "none.json cannot be opened"),
        (["--folds", "3", "--resume"], "no cross-validation to resume"),
        (["--folds", "3", "--set", "training.epoch=3"], "did you mean 'epochs'"),
    ],
)
def test_mistakes_with_folds_are_one_sentence(mien, small_fer2013, tmp_path, arguments, sentence):
    code, _, err = mien(
        "crossval", "mien-base", "--data", small_fer2013[0], "--run", tmp_path, *sets(), *arguments
    )
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_an_interrupted_cross_validation_says_how_to_go_on(
    mien, small_fer2013, tmp_path, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(CrossValidation, "faces_of", interrupted)
    folder = tmp_path / "cv"
    code, _, err = mien(
        "crossval",
        "mien-base",
        "--data",
        small_fer2013[0],
        "--folds",
        "3",
        "--run",
        folder,
        *sets(),
    )
    assert code == 130
    assert "--resume" in err


def test_values_are_searched_and_the_best_recipe_trains(mien, small_fer2013, tmp_path, monkeypatch):
    faces, out, space = small_fer2013[0], tmp_path / "out", tmp_path / "space.toml"
    space.write_text(
        '["optimiser.learning_rate"]\nlow = 1e-3\nhigh = 0.1\nlog = true\n'
        '["network.options.channels"]\nchoices = [[8], [12]]\n'
    )
    command = [
        "tune", "mien-base", "--data", faces, "--space", space, "--out", out,
        "--sampler", "random", *sets(),
    ]  # fmt: skip

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Watch, "on_train_epoch_end", interrupted)
        code, _, err = mien(*command, "--trials", "3")
    assert code == 130
    assert "the same command continues" in err
    code, printed, err = mien(*command, "--trials", "3")
    assert code == 0, err
    assert "the best trials" in printed
    assert "3 complete" in err
    assert {path.name for path in out.iterdir()} == {
        "best.toml", "study.db", "trials", "trials.csv", "tuning.html",
    }  # fmt: skip
    table = pd.read_csv(out / "trials.csv")
    assert table["trial"].tolist() == [0, 1, 2]
    best = table.loc[table["value"].idxmax()]
    recipe = load_recipe(out / "best.toml")
    assert recipe.optimiser.learning_rate == pytest.approx(best["optimiser.learning_rate"])
    assert recipe.expected == ()
    code, printed, err = mien(*command, "--trials", "4")
    assert "4 complete" in err
    code, _, err = mien("train", out / "best.toml", "--data", faces, "--run", tmp_path / "run")
    assert code == 0, err


@pytest.mark.parametrize(
    ("space", "arguments", "sentence"),
    [
        ('["training.bach_size"]\nchoices = [8]', [], "did you mean 'batch_size'"),
        ('["training.batch_size"]\nchoices = []', [], "choices should list one value or more"),
        ('["training.batch_size"]\nlow = 9\nhigh = 3', [], "low should be less than high"),
        ('["training.batch_size"]\nchoices = [8]', ["--trials", "0"], "1 or more. Got 0"),
        ('["training.batch_size"]\nchoices = [8]', ["--sampler", "gird"], "did you mean 'grid'"),
        ('["training.batch_size"]\nchoices = [8]', ["--storage", "x"], "cannot be opened"),
        (
            '["optimiser.learning_rate"]\nlow = 0.1\nhigh = 0.2',
            ["--sampler", "grid"],
            "optimiser.learning_rate: a grid needs choices, or a step",
        ),
    ],
)
def test_mistakes_with_spaces_are_one_sentence(
    mien, small_fer2013, tmp_path, space, arguments, sentence
):
    path = tmp_path / "space.toml"
    path.write_text(space)
    code, _, err = mien(
        "tune", "mien-base", "--data", small_fer2013[0], "--space", path,
        "--out", tmp_path / "out", *sets(), *arguments,
    )  # fmt: skip
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [["crossval", "--folds", "3"], ["tune", "--space", "x.toml"]])
def test_a_recipe_that_is_yet_to_be_made_to_fit_is_refused(mien, small_fer2013, command):
    name, *options = command
    code, _, err = mien(name, "fine-tune", "--data", small_fer2013[0], *options)
    assert code == 2
    assert "'fine-tune' is made to fit the model and the data (start.adapt) by mien train" in err


def test_a_search_in_which_all_fails_is_an_error(mien, small_fer2013, tmp_path):
    space = tmp_path / "space.toml"
    space.write_text('["optimiser.learning_rate"]\nchoices = [1e30]')
    code, _, err = mien(
        "tune", "mien-base", "--data", small_fer2013[0], "--space", space,
        "--out", tmp_path / "out", "--sampler", "grid", *sets(),
    )  # fmt: skip
    assert code == 2
    assert "All trials failed, the first because: The loss became" in err
    assert (tmp_path / "out" / "trials.csv").exists()


def test_a_search_is_by_parzen_estimators_of_fifty_trials_unless_said():
    assert (Search().sampler, Search().trials, Search().prunes) == ("tpe", None, True)
