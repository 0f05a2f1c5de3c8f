import csv
import dataclasses
import errno
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.pruners import NopPruner
from optuna.trial import TrialState, create_trial

from makers import SMALL_RECIPE
from mien.errors import DataError, MienError, RecipeError
from mien.models import NETWORKS
from mien.models.mien_se_resnet import MienSEResNet
from mien.recipe import find_recipe, load_recipe, parse_recipe
from mien.training.run import Run
from mien.training.tuning import tune as tuning
from mien.training.tuning.dimension import Choices, Interval
from mien.training.tuning.samplers import build_sampler, known_sampler
from mien.training.tuning.slots import SLOT, SpareError, claim, queue, slots
from mien.training.tuning.space import grid_of, read_space, with_values
from mien.training.tuning.storage import open_study, sqlite_url
from mien.training.tuning.tune import Search, tune
from mien.training.tuning.watching import Watch

TINY = [
    *SMALL_RECIPE,
    "signals=[]",
    "network.options={stem = 8, channels = [8], blocks = [1], dropout = 0.0}",
    'heads=[{labels = "basic7"}]',
    "training.batch_size=16",
    "training.epochs=2",
    "schedule.warmup_epochs=0",
]

GRID = {
    "optimiser.learning_rate": Choices(choices=(0.1, 0.01)),
    "network.options.channels": Choices(choices=([8], [12])),
}


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*TINY, *overrides])


def space_file(tmp_path, text):
    path = tmp_path / "space.toml"
    path.write_text(text, encoding="utf-8")
    return path


def combinations(tuned):
    return sorted(str(r.values) for r in tuned.records if r.ended)


def test_a_grid_is_the_product_in_decimals():
    space = {
        "a": Choices(choices=("x", [1, 2])),
        "b": Interval(low=0.1, high=0.35, step=0.1),
        "c": Interval(low=2, high=8, step=3),
    }
    grid = grid_of(space, "space.toml")
    assert [tuple(map(str, row.values())) for row in grid] == [
        tuple(map(str, row)) for row in itertools.product(["x", [1, 2]], [0.1, 0.2, 0.3], [2, 5, 8])
    ]
    assert all(isinstance(row["c"], int) for row in grid)


@given(st.integers(-50, 50), st.integers(1, 40), st.integers(1, 9))
def test_whole_numbers_of_a_grid_are_those_of_a_range(low, width, step):
    grid = Interval(low=low, high=low + width, step=step).grid()
    assert grid == list(range(low, low + width + 1, step))


def test_what_cannot_be_counted_needs_another_sampler():
    for interval in (Interval(low=0.1, high=1.0), Interval(low=1, high=100, log=True)):
        with pytest.raises(RecipeError, match=r"s.toml: rate: a grid needs choices, or a step"):
            grid_of({"rate": interval}, "s.toml")
    large = {str(n): Interval(low=1, high=100) for n in range(3)}
    with pytest.raises(RecipeError, match="not 1,000,000"):
        grid_of(large, "s.toml")
    with pytest.raises(RecipeError, match="not 9,000,000,000,000,001"):
        grid_of({"seed": Interval(low=0, high=9 * 10**15)}, "s.toml")


def test_a_space_is_read_with_quoted_dots_and_without(tmp_path):
    text = (
        '["optimiser.learning_rate"]\nlow = 1e-4\nhigh = 1e-2\nlog = true\n'
        "[network.options.dropout]\nchoices = [0.2, 0.4]\n"
        '["heads.0.smoothing"]\nchoices = [0.0, 0.1]\n'
    )
    space = read_space(space_file(tmp_path, text), recipe())
    assert list(space) == [
        "optimiser.learning_rate",
        "network.options.dropout",
        "heads.0.smoothing",
    ]
    changed = with_values(recipe(), {"heads.0.smoothing": 0.1}, "here")
    assert changed.heads[0].smoothing == 0.1
    assert changed.model_copy(update={"heads": ()}) == recipe().model_copy(
        update={"heads": (), "expected": ()}
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no key to search"),
        ("[", "is not TOML"),
        ("a = 1", "a: wanted a table with choices, or with low and high"),
        ('["training.batch_size"]\nchoices = []', "training.batch_size: choices should list"),
        ('["training.batch_size"]\nchoices = [8, 8]', "8 is repeated"),
        ('["training.batch_size"]\nlow = 9\nhigh = 3', "low should be less than high, and 9"),
        ('["training.batch_size"]\nlow = 9', "wanted a table with choices"),
        ('["training.batch_size"]\nlow = 1\nhigh = 3\nstp = 1', "did you mean 'step'"),
        ('["training.batch_size"]\nlow = "1"\nhigh = 3', "low: it should be a number"),
        ('["training.batch_size"]\nlow = 0\nhigh = 3\nlog = true', "low should be more than 0"),
        ('["training.batch_size"]\nlow = 1\nhigh = 3\nstep = 0', "step should be more than 0"),
        ('["training.batch_size"]\nchoices = [8, "many"]', "training.batch_size: .*'many'"),
        ('["training.batch_size"]\nlow = 8.0\nhigh = 32.0', "should be a valid integer"),
        ('["training.batch_size"]\nlow = 8\nhigh = 9\nstep = 0.5', "should be a valid integer"),
        ('["training.bach_size"]\nchoices = [8]', "did you mean 'batch_size'"),
        ('["optimizer.learning_rate"]\nchoices = [0.1]', "did you mean 'optimiser'"),
        ('["network.options.chanels"]\nchoices = [[8]]', "did you mean 'channels'"),
        ('["heads.7.weight"]\nchoices = [1.0]', "no table for 'heads.7.weight'"),
        ('["data.seed"]\nchoices = [1]', "validated on the same faces"),
        ('["training.select"]\nchoices = ["val_loss"]', "cannot be searched"),
    ],
)
def test_a_space_that_does_not_fit_is_one_sentence(tmp_path, text, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        read_space(space_file(tmp_path, text), recipe())
    assert "space.toml" in str(caught.value)
    assert "\n" not in str(caught.value).strip() or "TOML" in sentence


@pytest.mark.parametrize(
    ("select", "text", "what"),
    [
        ("val_loss", "[training]\nchoices = [{epochs = 1, batch_size = 8}]", "training.select"),
        ("val_loss", '["heads.0.weight"]\nchoices = [1.0, 0.5]', "the loss of heads"),
        ("val_loss", '["heads.0.smoothing"]\nlow = 0.0\nhigh = 0.2', "the loss of heads"),
        ("val_loss", '["heads.0.loss"]\nchoices = ["focal"]', "the loss of heads"),
        (
            "val_loss",
            '[signals]\nchoices = [[{name = "agreement"}]]',
            "the loss of heads and signals",
        ),
        ("val_accuracy", '["heads.0.labels"]\nchoices = ["four"]', "what each head says"),
        ("val_accuracy", '["heads.0.target"]\nchoices = ["votes"]', "what each head says"),
    ],
)
def test_what_changes_the_meaning_of_a_figure_is_not_searched(tmp_path, select, text, what):
    path = space_file(tmp_path, text)
    with pytest.raises(RecipeError, match=f"space.toml: .* cannot be searched: {what}"):
        read_space(path, recipe(f"training.select={select}"))


def test_a_whole_table_may_be_searched_if_it_keeps_what_is_judged(tmp_path):
    text = (
        '[training]\nchoices = [{epochs = 1, batch_size = 8, select = "val_loss"}]\n'
        '["data.at_least"]\nchoices = [0, 20]\n'
    )
    assert len(read_space(space_file(tmp_path, text), recipe("training.select=val_loss"))) == 2
    loss = '["heads.0.weight"]\nchoices = [1.0, 0.5]'
    assert read_space(space_file(tmp_path, loss), recipe())


def test_what_class_weights_come_from_is_not_searched_where_the_loss_selects(tmp_path):
    path = space_file(tmp_path, '["data.at_least"]\nchoices = [0, 20]')
    weighted = "heads.0.class_weights=balanced"
    with pytest.raises(RecipeError, match="cannot be searched: the training faces, which the cla"):
        read_space(path, recipe(weighted, "training.select=val_loss"))
    assert read_space(path, recipe(weighted))
    rate = space_file(tmp_path, '["optimiser.learning_rate"]\nchoices = [0.1, 0.01]')
    assert read_space(rate, recipe(weighted, "training.select=val_loss"))


def test_values_that_fit_only_with_others_are_allowed(tmp_path):
    text = (
        '["schedule.name"]\nchoices = ["plateau", "constant"]\n'
        '["schedule.warmup_epochs"]\nchoices = [0.0, 1.0]\n'
    )
    read_space(space_file(tmp_path, text), recipe("schedule.warmup_epochs=1"))


FOCAL = "heads=[{labels='basic7', loss='focal'}]"
PATIENCE = '["schedule.patience"]\nchoices = [1, 5]\n'


@pytest.mark.parametrize(
    ("text", "given", "sentence"),
    [
        ('["heads.0.gamma"]\nlow = 0.5\nhigh = 5.0', (), "heads.0.loss focal only. Got cross-ent"),
        (PATIENCE, (), "schedule.patience cannot be searched: it .* plateau only. Got cosine"),
        ('["optimiser.rho"]\nchoices = [0.5, 0.9]', (), "keras-rmsprop only. Got sgd"),
        ('["augmentation.no_face"]\nchoices = [0.0, 0.1]', (), "not_a_face only. Got none"),
        ('["augmentation.fill"]\nchoices = ["zeros"]', ("augmentation={}",), "zoom or shear only"),
        # The name is searched, too, but not that which makes it act.
        (f'{PATIENCE}["schedule.name"]\nchoices = ["constant", "cosine"]', (), "plateau only"),
        # A whole table.
        ('["schedule"]\nchoices = [{name = "cosine", patience = 3}]', (), "schedule.patience has"),
    ],
)
def test_what_has_no_effect_is_not_searched(tmp_path, text, given, sentence):
    with pytest.raises(RecipeError, match=sentence) as refused:
        read_space(space_file(tmp_path, text), recipe(*given))
    assert str(refused.value).startswith(str(tmp_path / "space.toml"))


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ('["heads.0.gamma"]\nlow = 0.5\nhigh = 5.0', (FOCAL,)),
        (f'{PATIENCE}["schedule.name"]\nchoices = ["cosine", "plateau"]', ()),
        ('["optimiser.epsilon"]\nchoices = [1e-3]\n["optimiser.name"]\nchoices = ["adam"]', ()),
        ('["augmentation.fill"]\nchoices = ["zeros"]', ()),
        (
            '["augmentation.fill"]\nchoices = ["zeros"]\n'
            '["augmentation.rotation"]\nlow = 0.0\nhigh = 9.0',
            ("augmentation={}",),
        ),
        (
            '["augmentation.no_face"]\nchoices = [0.0, 0.1]\n'
            "[signals]\nchoices = [[{name = 'not_a_face'}], []]",
            (),
        ),
    ],
)
def test_what_has_an_effect_in_some_trial_is_searched(tmp_path, text, given):
    assert read_space(space_file(tmp_path, text), recipe(*given))


def test_in_a_trial_without_an_effect_an_option_has_its_default(tmp_path):
    given = {"schedule.name": "plateau", "schedule.patience": 3}
    assert with_values(recipe(), given, "here").schedule.patience == 3
    still = with_values(recipe(), given | {"schedule.name": "constant"}, "here")
    assert (still.schedule.name, still.schedule.patience) == ("constant", 10)
    # What the recipe itself says of a name that is no more, too; and it can be read again.
    focal = recipe("heads=[{labels='basic7', loss='focal', gamma=5}]")
    plain = with_values(focal, {"heads.0.loss": "cross-entropy"}, "here")
    assert plain.heads[0].gamma == 2
    assert parse_recipe(plain.model_dump(mode="json", exclude_none=True), "here") == plain


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_is_one_that_numpy_takes(seed):
    with pytest.raises(MienError, match=f"must be from 0 to 4294967295. Got {seed}"):
        Search(seed=seed)


def test_there_must_be_something_to_try():
    with pytest.raises(MienError, match=r"must be 1 or more\. Got 0"):
        Search(trials=0)
    with pytest.raises(MienError, match="did you mean 'random'"):
        known_sampler("randm")


def drawn(name, seed, workers):
    """Values of six trials, drawn by workers in turn that know each other's results."""
    storage = optuna.storages.InMemoryStorage()
    studies = [
        optuna.create_study(
            storage=storage, study_name="s", sampler=build_sampler(name, seed), load_if_exists=True
        )
        for _ in range(workers)
    ]
    values = []
    for number in range(14):
        trial = studies[number % workers].ask()
        values.append(trial.suggest_float("x", 0, 1))
        studies[number % workers].tell(trial, values[-1] ** 2)
    return values


@pytest.mark.parametrize("name", ["random", "tpe"])
def test_draws_depend_on_the_trial_and_not_on_the_worker(name):
    values = drawn(name, 3, 1)
    assert len(set(values)) == 14
    assert drawn(name, 3, 2) == values
    assert drawn(name, 4, 1) != values


def test_a_slot_is_tried_until_it_ends_and_only_once():
    study = optuna.create_study()
    wanted = [{"x": 0.1}, {"x": 0.2}]
    queue(study, wanted)
    queue(study, wanted)  # nothing new
    assert len(study.trials) == 2
    study.enqueue_trial({"x": 0.1}, user_attrs={SLOT: 0})  # by a worker that began with this one
    first = study.ask()
    assert claim(study, first, grid=True) == 0
    study.tell(first, state=TrialState.FAIL)  # killed
    second, double = study.ask(), study.ask()
    assert claim(study, second, grid=True) == 1
    assert claim(study, double, grid=True) == 0
    assert double.suggest_float("x", 0, 1) == 0.1
    study.tell(double, 1.0)
    study.tell(second, state=TrialState.FAIL)
    queue(study, wanted)
    again = study.ask()
    assert claim(study, again, grid=True) == 1
    study.enqueue_trial({"x": 0.1}, user_attrs={SLOT: 0})
    with pytest.raises(SpareError):
        claim(study, study.ask(), grid=True)
    with pytest.raises(SpareError):
        claim(study, study.ask(), grid=True)
    assert [slot.ended for slot in slots(study).values()] == [True, False]


def test_a_broken_off_random_trial_keeps_its_values():
    study = optuna.create_study()
    trial = study.ask()
    assert claim(study, trial, grid=False) == 0
    value = trial.suggest_float("x", 0, 1)
    study.tell(trial, state=TrialState.FAIL)
    queue(study)
    again = study.ask()
    assert claim(study, again, grid=False) == 0
    assert again.suggest_float("x", 0, 1) == value
    assert claim(study, study.ask(), grid=False) == 1  # repeats take no number


def test_a_grid_is_tried_whole_also_when_interrupted(small_dataset, tmp_path, monkeypatch):
    ended = Watch.on_train_epoch_end
    seen = []

    def end(self, trainer, module):
        seen.append(trainer.current_epoch)
        if len(seen) == 4:  # in the second trial's second epoch
            raise KeyboardInterrupt
        ended(self, trainer, module)

    with monkeypatch.context() as patch:
        patch.setattr(Watch, "on_train_epoch_end", end)
        with pytest.raises(KeyboardInterrupt):
            tune(recipe(), small_dataset, GRID, tmp_path, Search("grid"), progress=False)
    begun = (tmp_path / "trials" / "0001" / "metrics.csv").read_text()
    assert len(begun.splitlines()) == 2
    tuned = tune(recipe(), small_dataset, GRID, tmp_path, Search("grid"), progress=False)
    assert combinations(tuned) == sorted(map(str, grid_of(GRID, "")))
    assert [(r.number, r.state, r.epochs) for r in tuned.records] == [
        (number, "complete", 2) for number in range(4)
    ]
    assert (tmp_path / "trials" / "0001" / "metrics.csv").read_text().startswith(begun)
    _check_folder(tuned, tmp_path)
    _check_refusals(small_dataset, tmp_path)


def _check_folder(tuned, folder):
    """Check what a search leaves."""
    for record in tuned.records:
        run = Run(folder / "trials" / f"{record.number:04d}")
        with run.metrics_file.open() as file:
            values = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
        assert record.value == max(values)
        assert run.best.exists() == (record == tuned.best)
        assert run.last.exists() == (record == tuned.best)
    assert tuned.best.value == max(r.value for r in tuned.records)
    _check_best_is_whole(Run(folder / "trials" / f"{tuned.best.number:04d}"))
    best = load_recipe(folder / "best.toml")
    assert best == with_values(recipe(), tuned.best.values, "")
    with (folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == [r.value for r in tuned.records]
    page = (folder / "tuning.html").read_text()
    assert page.count("<img") >= 2
    assert 'src="http' not in page


def _check_best_is_whole(run):
    """Check that the weights which are kept can be used."""
    run.check_finished()
    assert run.module() is not None
    # Nothing but the epoch that is best: the optimiser alone would double the size.
    assert run.last.stat().st_size < run.best.stat().st_size / 2


def _check_refusals(dataset, folder):
    for other, space, differ in (
        (recipe("training.epochs=3"), GRID, "recipe"),
        (recipe(), {**GRID, "training.batch_size": Choices(choices=(8,))}, "space"),
    ):
        with pytest.raises(MienError, match=f"begun otherwise: {differ} differ"):
            tune(other, dataset, space, folder, Search("grid"), progress=False)
    with pytest.raises(MienError, match="trials of another study"):
        tune(recipe(), dataset, GRID, folder, Search("grid", study="new"), progress=False)


def test_failures_are_kept_with_their_sentence_and_the_search_goes_on(small_dataset, tmp_path):
    space = {
        "optimiser.learning_rate": Choices(choices=(1e30, 0.01)),
        "network.options.channels": Choices(choices=([8], [-8])),
    }
    tuned = tune(recipe(), small_dataset, space, tmp_path, Search("grid"), progress=False)
    assert [r.state for r in tuned.records] == ["failed", "failed", "complete", "failed"]
    assert "became" in tuned.records[0].reason
    assert "cannot be built" in tuned.records[1].reason
    assert "cannot be built" in (tmp_path / "trials.csv").read_text()
    more = tune(recipe(), small_dataset, space, tmp_path, Search("grid"), progress=False)
    assert more.records == tuned.records


class Broken(MienSEResNet):
    """A network with a mistake that is nobody's on purpose."""

    def features(self, images):
        return [][len(images)]


def test_a_mistake_of_any_kind_does_not_end_a_study(small_dataset, tmp_path, monkeypatch):
    monkeypatch.setitem(NETWORKS._entries, "broken", Broken)
    space = {"network.name": Choices(choices=("broken", "mien-se-resnet"))}
    tuned = tune(recipe(), small_dataset, space, tmp_path, Search("grid"), progress=False)
    assert [r.state for r in tuned.records] == ["failed", "complete"]
    assert tuned.records[0].reason == "list index out of range"


def test_a_full_disk_is_no_fault_of_the_values(small_dataset, tmp_path, monkeypatch):
    """What it broke off is tried again by the same call."""

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    space = {"optimiser.learning_rate": Choices(choices=(0.1,))}
    search = Search("grid")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(tuning, "train", full)
        tune(recipe(), small_dataset, space, tmp_path, search, progress=False)
    again = tune(recipe(), small_dataset, space, tmp_path, search, progress=False)
    assert [record.state for record in again.records if record.ended] == ["complete"]


def test_what_no_trial_could_survive_is_said_before_the_study_is_begun(small_dataset, tmp_path):
    without = small_dataset.select(np.flatnonzero(small_dataset.splits != "val"))
    space = {"optimiser.learning_rate": Interval(low=1e-4, high=1e-1, log=True)}
    with pytest.raises(DataError, match="has no split 'val'"):
        tune(recipe(), without, space, tmp_path / "study", progress=False)
    bare = dataclasses.replace(small_dataset, votes=None)
    with pytest.raises(RecipeError, match="Signal 'agreement' learns from votes"):
        tune(recipe('signals=[{name="agreement"}]'), bare, space, tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_trial_that_is_worse_than_the_median_is_given_up(small_dataset, tmp_path):
    space = {"optimiser.learning_rate": Interval(low=1e-4, high=1e-1, log=True)}
    search, wanted = Search("random", trials=6), recipe("training.epochs=4")
    url = f"sqlite:///{tmp_path / 'study.db'}"
    study = open_study(url, "mien-base", wanted, build_sampler("random", 0), search.pruner(wanted))
    distribution = optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True)
    for number in range(5):
        study.add_trial(
            create_trial(
                value=0.99,
                params={"optimiser.learning_rate": 0.01},
                distributions={"optimiser.learning_rate": distribution},
                intermediate_values=dict.fromkeys(range(1, 5), 0.99),
                user_attrs={SLOT: number},
            )
        )
    tuned = tune(wanted, small_dataset, space, tmp_path, search, progress=False)
    assert [r.number for r in tuned.records] == list(range(6))
    assert [r.state for r in tuned.records] == ["complete"] * 5 + ["pruned"]
    assert tuned.records[5].epochs == 2  # the first is spared
    assert tuned.records[5].value < 0.99
    assert not Search("grid").prunes
    assert Search("grid", prune=True).prunes


def test_a_recipe_that_validates_on_test_cannot_be_tuned(small_dataset, tmp_path):
    with pytest.raises(RecipeError, match="tuning would choose values by them"):
        tune(recipe("data.validate_on_test=true"), small_dataset, GRID, tmp_path)


def test_a_folder_that_checkpoints_would_miss_is_refused(small_dataset, tmp_path):
    with pytest.raises(MienError, match="must be a path without '::'"):
        tune(recipe(), small_dataset, GRID, tmp_path / "a::b", Search("grid"))
    assert not list(tmp_path.iterdir())


def test_a_storage_that_cannot_be_opened_is_one_sentence(small_dataset, tmp_path):
    for url in ("nonsense", "sqlite:////no/such/folder/study.db", "mysql://me:secret@host/db"):
        with pytest.raises(MienError, match="storage of study 'mien-base' cannot") as caught:
            tune(recipe(), small_dataset, GRID, tmp_path, Search("grid", storage=url))
        assert "secret" not in str(caught.value)
    (tmp_path / "study.db").write_text("no database, but long enough to be read as one " * 9)
    with pytest.raises(MienError, match="cannot be opened"):
        tune(recipe(), small_dataset, GRID, tmp_path, Search("grid"))


WORKER = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
import test_tuning as t
from mien.data.readers import read_dataset
from mien.training.tuning.watching import Watch
if {last!r}:
    ended = Watch.on_train_epoch_end
    signals = [getattr(signal, {last!r})]
    def end(self, trainer, module):
        if trainer.current_epoch == 1 and signals:
            os.kill(os.getpid(), signals.pop())
        ended(self, trainer, module)
    Watch.on_train_epoch_end = end
search = t.Search({sampler!r}, trials=4, prune=False, heartbeat=3)
t.tune(t.recipe(), read_dataset(Path({faces!r})), t.GRID, Path({folder!r}), search, progress=False)
"""


def worker(faces, folder, *, last="", sampler="grid"):
    here = Path(__file__).parent
    paths = [str(here), str(here.parent)]
    given = {"faces": str(faces), "folder": str(folder), "last": last, "sampler": sampler}
    script = WORKER.format(paths=paths, **given)
    return subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)


@pytest.mark.slow
def test_workers_share_a_study_and_one_that_is_killed_loses_nothing(small_fer2013, tmp_path):
    killed = worker(small_fer2013[0], tmp_path, last="SIGKILL")
    assert killed.wait() == -signal.SIGKILL
    workers = [worker(small_fer2013[0], tmp_path) for _ in range(2)]
    for process in workers:
        _, error = process.communicate()
        assert process.returncode == 0, error.decode()
    study = optuna.load_study(study_name="mien-base", storage=f"sqlite:///{tmp_path / 'study.db'}")
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    assert sorted(t.user_attrs[SLOT] for t in complete) == [0, 1, 2, 3]
    rows = (tmp_path / "trials.csv").read_text().splitlines()
    assert len(rows) == 5
    shutil.rmtree(tmp_path / "trials")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
@pytest.mark.parametrize("then", ["SIGKILL", "SIGCONT"])
def test_a_worker_that_only_sleeps_keeps_its_trial_and_stops_nobody(small_fer2013, tmp_path, then):
    # A sampler that makes its combinations as it goes: what waits in the queue comes before them.
    sleeps = worker(small_fer2013[0], tmp_path, last="SIGSTOP", sampler="random")
    _, status = os.waitpid(sleeps.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    other = worker(small_fer2013[0], tmp_path, sampler="random")
    try:
        url = f"sqlite:///{tmp_path / 'study.db'}"
        study = optuna.load_study(study_name="mien-base", storage=url)
        deadline = time.monotonic() + 240
        while not (tried(study, TrialState.FAIL) and len(tried(study, TrialState.COMPLETE)) == 3):
            assert other.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        sleeps.send_signal(getattr(signal, then))
        errors = [process.communicate(timeout=240)[1].decode() for process in (sleeps, other)]
    finally:
        sleeps.kill()
        other.kill()
    ends = {"SIGKILL": -signal.SIGKILL, "SIGCONT": 0}
    assert (sleeps.returncode, other.returncode) == (ends[then], 0), errors
    assert sorted(tried(study, TrialState.COMPLETE)) == [0, 1, 2, 3]
    # Once when the sleeper was taken for dead, and by nobody while it had the folder.
    assert tried(study, TrialState.FAIL) == [0]


def tried(study, state):
    trials = study.get_trials(states=(state,))
    return [trial.user_attrs[SLOT] for trial in trials if SLOT in trial.user_attrs]


def test_a_folder_may_be_called_as_it_likes(tmp_path):
    folder = tmp_path / "a?b#c%41{d}"
    folder.mkdir()
    url = sqlite_url(folder / "study.db")
    study = open_study(url, "s", recipe(), build_sampler("random", 0), NopPruner())
    assert study.trials == []
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (folder / "study.db").stat().st_size > 0
