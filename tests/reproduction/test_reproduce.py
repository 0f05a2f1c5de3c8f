"""Jobs for real: small networks on drawn faces."""

import csv
import os
import shutil
import signal
import threading
import time
from dataclasses import replace

import pytest
import tomli_w
import torch
from lightning.pytorch.callbacks import Callback

import made_results as made
from mien.data.store import write_store
from mien.errors import MienError
from mien.recipe import find_recipe, load_recipe
from mien.reproduction.bench import Bench
from mien.reproduction.job import jobs_of, wanted_jobs
from mien.reproduction.kinds import train as train_kind
from mien.reproduction.library import Library
from mien.reproduction.measured import best_within
from mien.reproduction.reproduce import reproduce
from mien.reproduction.side_by_side import SideBySide
from mien.reproduction.store import Store
from mien.training.run import Run
from mien.training.train import train

SPACE = '["training.batch_size"]\nchoices = [8, 16]\n'


@pytest.fixture(autouse=True)
def one_thread():
    """Small networks gain nothing from several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A store of drawn faces under the name of CK+48."""
    folder = tmp_path_factory.mktemp("ckplus48")
    write_store(made.faces_of("ckplus48"), folder / "store")
    return folder / "store"


@pytest.fixture
def bench(drawn, tmp_path):
    return Bench(Library([drawn]), tmp_path / "runs", progress=False)


def jobs(*experiments):
    return list(jobs_of({"a": made.plan(*experiments)}, "a"))


def test_a_training_is_measured_and_put_on_record(bench, tmp_path):
    store, (paper, honest) = Store(tmp_path), jobs({"name": "net"})
    assert reproduce([paper, honest], bench, store) == []
    found = store.read(honest)
    assert (found.paper, found.experiment, found.protocol, found.seed) == ("a", "net", "honest", 0)
    assert not found.quick
    splits = {(f.split, f.subset) for f in found.figures}
    assert splits == {(s, u) for s in ("val", "test") for u in ("all", "without leaked")}
    counts = found.data.counts
    assert found.figure("accuracy", "test").images == sum(counts["test"].values())
    assert found.data.trained_on == (sum(counts["train"].values()),)
    assert found.data.fingerprint == bench.library.faces(honest.recipe().data).fingerprint
    hits = sum(found.confusion.counts[i][i] for i in range(7))
    of_test = found.figure("accuracy", "test")
    assert hits / of_test.images == pytest.approx(of_test.value)
    assert found.epochs == 2
    assert found.seconds > 0
    assert found.environment.versions["torch"] == torch.__version__
    assert found.parameters > 1000
    # The division is by subject, and the other is not.
    assert "keeping subjects together" in found.data.history[-1]
    assert "keeping nothing together" in store.read(paper).data.history[-1]


def test_a_run_of_another_recipe_is_not_taken_for_the_jobs(tmp_path, bench):
    (job,) = [j for j in jobs_of({"a": made.plan({"name": "net"})}, "a") if j.protocol == "honest"]
    folder, store = bench.folder(job), Store(tmp_path / "results")
    other = replace(job, experiment=job.experiment.model_copy(update={"overrides": made.NARROW}))
    assert reproduce([other], bench, store) == []
    store.path(job).unlink()
    (message,) = reproduce([job], bench, store)
    assert str(folder) in message
    assert not store.path(job).exists()


def test_what_is_done_is_not_run_again_and_keeps_its_best_weights(bench, tmp_path, monkeypatch):
    store, every = Store(tmp_path), jobs({"name": "net", "protocols": ["paper"]})
    reproduce(every, bench, store)
    folder = bench.folder(every[0])
    best, last = (folder / "checkpoints" / f"{name}.ckpt" for name in ("best", "last"))
    assert last.stat().st_size < best.stat().st_size / 10
    Run(folder).check_finished()  # so that it can be evaluated and compared
    written, weights = store.read(every[0]), best.stat()
    with monkeypatch.context() as patch:
        patch.setattr(train_kind, "train", None)
        assert reproduce(every, bench, store) == []
    # Without its result the run is measured again, and not trained again.
    store.path(every[0]).unlink()
    assert reproduce(every, bench, store) == []
    assert store.read(every[0]).figures == written.figures
    assert best.stat().st_mtime_ns == weights.st_mtime_ns


def an_average_of_two():
    """Plans of two networks, and of their average in another paper."""
    members = [{"paper": "a", "experiment": name} for name in ("net", "other")]
    honest = {"protocols": ["honest"]}
    other = {"overrides": [*made.CHEN["overrides"], "network.options.dense=16"], **honest}
    return {
        "a": made.plan({"name": "net", **honest}, {"name": "other", **other}),
        "b": made.plan({"name": "mean", "kind": "average", "members": members, **honest}),
    }


def test_a_member_without_its_predictions_is_run_again(bench, tmp_path):
    plans = an_average_of_two()
    store = Store(tmp_path / "results")
    net, _ = jobs_of(plans, "a")
    store.write(net, made.result(net, 0.5))
    assert net in store
    assert not store.done(net)
    assert reproduce(wanted_jobs(plans, "b"), bench, store) == []
    assert store.done(net)
    assert store.read(net).epochs == 2


def test_an_average_is_made_of_results_alone(bench, tmp_path):
    plans, store = an_average_of_two(), Store(tmp_path / "results")
    (mean,) = jobs_of(plans, "b")
    assert reproduce([mean], bench, store) == []
    first = store.read(mean)
    store.path(mean).unlink()
    shutil.rmtree(bench.runs)  # weights and all
    assert reproduce([mean], bench, store) == []
    again = store.read(mean)
    assert again.figures == first.figures
    assert again.averages == first.averages
    # Other predictions than the member's result is of are refused.
    store.path(mean).unlink()
    net, other = (store.path(member).with_suffix(".parquet") for member in mean.members)
    own = net.read_bytes()
    shutil.copy(other, net)
    (message,) = reproduce([mean], bench, store)
    assert f"{net} is not what net-honest-seed0.json is of" in message
    net.write_bytes(own)
    # An average is of the networks that its members' results are of.
    store.write(mean, again)
    renewed = store.read(mean.members[0]).model_copy(update={"predictions": "0"})
    store.write(mean.members[0], renewed)
    with pytest.raises(MienError, match="made of other predictions than a/net-honest-seed0 has"):
        store.read(mean)


def test_members_trained_on_other_faces_are_not_averaged(bench, tmp_path):
    plans, store = an_average_of_two(), Store(tmp_path / "results")
    reproduce(list(jobs_of(plans, "a")), bench, store)
    (mean,) = jobs_of(plans, "b")
    result, table = store.kept(mean.members[1])
    moved = result.data.model_copy(update={"fingerprint": "f"})
    store.write(mean.members[1], result.model_copy(update={"data": moved}), table)
    (message,) = reproduce([mean], bench, store)
    assert "a/other-honest-seed0 was trained on other data or splits than a/net" in message


def test_predictions_are_kept_of_what_is_averaged(bench, tmp_path):
    plans, store = an_average_of_two(), Store(tmp_path / "results")
    alone = made.plan({"name": "alone", "protocols": ["honest"]})
    plans["c"] = alone
    (job,), (net, _) = jobs_of(plans, "c"), jobs_of(plans, "a")
    reproduce([job, net], bench, store)
    _, table = store.kept(net)
    test = table.judged("test")
    assert (test.probabilities.argmax(1) == test.truth).mean() == pytest.approx(
        store.read(net).accuracy("test").value
    )
    assert set(table.splits) == {"val", "test"}
    assert not store.read(job).predictions
    assert [path.name for path in tmp_path.rglob("results/**/*.parquet")] == [
        "net-honest-seed0.parquet"
    ]


def test_the_best_so_far_is_that_of_the_epochs_so_far(tmp_path):
    values = [0.3, 0.5, 0.4, 0.4, 0.4, 0.4, 0.6, 0.4, 0.4, 0.4, 0.9]
    rows = "".join(f"{n},{value}\n" for n, value in enumerate(values, 1))
    (tmp_path / "metrics.csv").write_text(f"epoch,val_accuracy\n{rows}")
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps(recipe_of("chen", "val_accuracy")))
    assert best_within(Run(tmp_path)) == {5: 0.5, 10: 0.6}
    (tmp_path / "metrics.csv").write_text(f"epoch,val_loss\n{rows}")
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps(recipe_of("chen", "val_loss")))
    assert best_within(Run(tmp_path)) == {5: 0.3, 10: 0.3}


def recipe_of(name, select):
    recipe = load_recipe(find_recipe(name), [f"training.select={select}"])
    return recipe.model_dump(mode="json", exclude_none=True)


class Stop(Callback):
    """Interrupts the second epoch."""

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt


def test_an_interrupted_training_goes_on_to_the_same_result(bench, drawn, tmp_path, monkeypatch):
    experiment = {"name": "net", "protocols": ["honest"]}
    store, (job,) = Store(tmp_path / "a"), jobs(experiment)

    def interrupted(*arguments, **options):
        return train(*arguments, **options, callbacks=[Stop()])

    with monkeypatch.context() as patch:
        patch.setattr(train_kind, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reproduce([job], bench, store)
    assert job not in store
    assert epochs(bench, job) == ["1"]
    reproduce([job], bench, store)
    assert epochs(bench, job) == ["1", "2"]
    other = Store(tmp_path / "b")
    reproduce([job], Bench(Library([drawn]), tmp_path / "other", progress=False), other)
    assert store.read(job).figures == other.read(job).figures


def epochs(bench, job):
    with (bench.folder(job) / "metrics.csv").open() as file:
        return [row["epoch"] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_folds_a_grid_and_averages(bench, tmp_path):
    space = tmp_path / "space.toml"
    space.write_text(SPACE)
    members = [{"paper": "a", "experiment": name} for name in ("net", "other")]
    other = [*made.CHEN["overrides"], "network.options.dense=16"]
    plans = {
        "a": made.plan({"name": "net"}, {"name": "other", "overrides": other}),
        "b": made.plan(
            {"name": "folds", "kind": "crossval", "folds": 3},
            {"name": "grid", "kind": "grid", "space": str(space), "protocols": ["honest"]},
            {"name": "mean", "kind": "average", "members": members, "protocols": ["honest"]},
        ),
    }
    store = Store(tmp_path / "results")
    assert reproduce(wanted_jobs(plans, "b"), bench, store) == []
    of_a, of_b = ([store.read(job) for job in jobs_of(plans, p) if job in store] for p in plans)
    # The average brought the members that it needed, and no others.
    assert {result.experiment for result in of_a} == {"net", "other"}
    assert {result.protocol for result in of_a} == {"honest"}
    paper, honest, grid, mean = of_b
    assert honest.figure("accuracy", "folds").images == 84
    assert paper.figure("accuracy", "folds").images < 84
    assert paper.epochs == honest.epochs == 6
    assert [trial.values["training.batch_size"] for trial in grid.trials] == [8, 16]
    assert grid.epochs == sum(trial.epochs for trial in grid.trials) == 4
    assert [average.weights for average in mean.averages] == ["equal", "fit"]
    for average in mean.averages:
        assert sum(member.best for member in average.members) == 1
        assert sum(member.share for member in average.members) == pytest.approx(1)
        own = next(f.value for f in average.figures if (f.metric, f.subset) == ("accuracy", "all"))
        for member in average.members:
            assert own - member.accuracy == pytest.approx(member.difference)
    alone = [r.figure("accuracy", "test").value for r in of_a]
    assert [member.accuracy for member in mean.averages[0].members] == pytest.approx(alone)


@pytest.mark.slow
def test_jobs_side_by_side_give_what_they_give_one_by_one(
    bench, drawn, tmp_path, capfd, monkeypatch
):
    # Sums of several threads differ in their last bits.
    monkeypatch.setattr("mien.reproduction.side_by_side.usable_cpus", lambda: 3)
    members = [{"paper": "a", "experiment": name} for name in ("net", "other")]
    large, other = (
        [*made.CHEN["overrides"], change]
        for change in ("training.batch_size=5000", "network.options.dense=16")
    )
    honest = {"protocols": ["honest"]}
    plans = {
        "a": made.plan(
            {"name": "net", **honest},
            {"name": "other", "overrides": other, **honest},
            {"name": "large", "overrides": large, **honest},
            {"name": "mean", "kind": "average", "members": members, **honest},
        )
    }
    store, every = Store(tmp_path / "results"), list(jobs_of(plans, "a"))
    shown = replace(bench, progress=True)
    (sentence,) = reproduce(every, shown, store, at_once=3)
    assert sentence.startswith("a large, honest, seed 0: training.batch_size must be at most")
    err = capfd.readouterr().err
    assert "a large, honest, seed 0 failed" in err
    assert "4 of 4: a mean, honest, seed 0" in err
    alone = Store(tmp_path / "alone")
    reproduce(every, Bench(Library([drawn]), tmp_path / "other", progress=False), alone)
    for job in (job for job in every if job in alone):
        assert store.read(job).figures == alone.read(job).figures
    assert store.read(every[0]).environment.threads == 1


@pytest.mark.slow
def test_a_job_whose_process_is_killed_takes_no_other_with_it(bench, tmp_path, capfd):
    store = Store(tmp_path / "results")
    paper, honest = jobs({"name": "net"})
    side_by_side = SideBySide(bench, store, 2)
    threading.Thread(target=kill_one, args=(side_by_side, paper), daemon=True).start()
    (sentence,) = side_by_side.run([paper, honest])
    assert sentence.startswith("a net, paper, seed 0: its process ended with code -9; the memory")
    assert [job in store for job in (paper, honest)] == [False, True]
    assert capfd.readouterr().err == ""  # the bench shows nothing
    assert reproduce([paper], bench, store) == []


def kill_one(side_by_side, job):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for running in list(side_by_side._running):
            if running.job == job:
                os.kill(running._process.pid, signal.SIGKILL)
                return
        time.sleep(0.01)


def test_an_average_fails_with_its_member(bench, tmp_path):
    plans = an_average_of_two()
    large = [*made.CHEN["overrides"], "training.batch_size=5000"]
    honest = {"protocols": ["honest"]}
    plans["a"] = made.plan(
        {"name": "net", **honest}, {"name": "other", "overrides": large, **honest}
    )
    store = Store(tmp_path / "results")
    failed, message = reproduce(wanted_jobs(plans, "b"), bench, store)
    assert failed.startswith("a other, honest, seed 0: training.batch_size must be at most")
    assert message.startswith("b mean, honest, seed 0: ")
    assert "a/other-honest-seed0 has no result with predictions" in message


def test_one_that_fails_does_not_keep_the_others_from_running(bench, tmp_path):
    large = [*made.CHEN["overrides"], "training.batch_size=5000"]
    every = jobs(
        {"name": "large", "overrides": large, "protocols": ["paper"], "minutes": 0.5},
        {"name": "net", "protocols": ["paper"]},
    )
    store = Store(tmp_path)
    (sentence,) = reproduce(every, bench, store)
    assert sentence.startswith("a large, paper, seed 0: training.batch_size must be at most")
    assert [job in store for job in every] == [False, True]


def test_the_library_knows_its_datasets_by_name(drawn, small_fer2013):
    library = Library([drawn, small_fer2013[0]])
    assert library.names == {"ckplus48", "fer2013"}
    with pytest.raises(MienError, match="are dataset 'ckplus48'"):
        Library([drawn, drawn])
