import json
import math
from dataclasses import replace

import pytest

import made_results as made
from mien.errors import MienError
from mien.reproduction.findings import Findings, same_faces, summarise
from mien.reproduction.job import jobs_of
from mien.reproduction.leaks import OnTwins, leaks, left_in
from mien.reproduction.plan import shipped_plans
from mien.reproduction.rows import Reported, reported, rows_of
from mien.reproduction.store import Store
from mien.reproduction.twins import own_twins

PLANS = {"chen": made.plan({"name": "test", "seeds": [0, 1, 2], "headline": True})}


def filled(tmp_path, plans=PLANS, **values):
    """Findings of made-up results; values by protocol, one a seed."""
    store = Store(tmp_path)
    for paper in plans:
        for job in jobs_of(plans, paper):
            if job.seed < len(values.get(job.protocol, ())):
                store.write(job, made.result(job, values[job.protocol][job.seed]))
    return Findings(plans, store)


def accuracy(value, half=0.01):
    (found,) = (
        f for f in made.figures(value, "test") if (f.metric, f.subset) == ("accuracy", "all")
    )
    return found.model_copy(update={"low": value - half, "high": value + half})


def test_one_seed_has_its_bootstrap_interval():
    found = summarise([accuracy(0.8, 0.03)], same_faces=True)
    assert (found.value, found.seeds, found.faces) == (0.8, 1, 200)
    assert (found.low, found.high) == pytest.approx((0.77, 0.83))


def test_seeds_of_other_faces_have_student_s_interval_where_it_is_wider():
    # Mean .6, deviation .1, t of 2 degrees of freedom 4.3027: .6 ± 4.3027 × .1 / √3.
    found = summarise([accuracy(v) for v in (0.5, 0.6, 0.7)], same_faces=False)
    assert (found.low, found.high) == pytest.approx((0.3516, 0.8484), abs=1e-4)
    found = summarise([accuracy(v, 0.3) for v in (0.5, 0.6, 0.7)], same_faces=False)
    assert (found.low, found.high) == pytest.approx((0.3, 0.9))


def test_seeds_of_the_same_faces_have_the_chance_of_both():
    found = summarise([accuracy(v, 0.03) for v in (0.5, 0.6, 0.7)], same_faces=True)
    half = math.hypot(0.2484, 0.03)
    assert (found.low, found.high) == pytest.approx((0.6 - half, 0.6 + half), abs=1e-4)
    # Where the seeds agree only the chance of the faces is left.
    found = summarise([accuracy(0.6, 0.03)] * 2, same_faces=True)
    assert (found.low, found.high) == pytest.approx((0.57, 0.63))


def test_results_of_one_division_are_of_the_same_faces(tmp_path):
    findings = filled(tmp_path, paper=[0.5, 0.7])
    results = findings.of("chen", PLANS["chen"].experiments[0], "paper")
    assert same_faces(results)
    data = results[1].data.model_copy(update={"fingerprint": "other"})
    assert not same_faces([results[0], results[1].model_copy(update={"data": data})])


def test_a_share_is_never_more_than_one():
    found = summarise([accuracy(v) for v in (0.97, 0.99, 0.995)], same_faces=False)
    assert (found.low, found.high) == (pytest.approx(0.9521, abs=1e-4), 1.0)


def test_a_figure_of_other_data_is_not_compared_with():
    plan = shipped_plans()["mahastama"]
    assert reported(plan.experiment("scenario-7"))[0].value is not None
    assert reported(plan.experiment("scenario-7-without-imed")) == [Reported("val")]


def test_a_row_holds_both_protocols_and_what_is_to_run(tmp_path):
    (row,) = rows_of(filled(tmp_path, paper=[0.83, 0.84], honest=[0.6]), "chen")
    assert row.reported == Reported("test", 0.8325, 197)
    assert row.split == "test"
    assert row.measured.value == pytest.approx(0.835)
    assert (row.honest.value, row.macro_f1.value) == (0.6, 0.6)
    assert row.waiting == {"paper": 1, "honest": 2}
    assert len(row.results) == 3


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ([0.8325], "not told apart"),
        # ± .01 of ours, and of the paper's 164 of 197 Wilson's: .774 to .878.
        ([0.877], "not told apart"),
        ([0.881], "higher"),
        ([0.775], "not told apart"),
        ([0.772], "lower"),
        ([0.75], "lower"),
        ([], None),
    ],
)
def test_the_outcome_has_the_chance_of_both_figures(tmp_path, values, outcome):
    (row,) = rows_of(filled(tmp_path, paper=values), "chen")
    assert row.outcome == outcome
    if values:
        found = values[0] - 0.8325
        below, above = math.hypot(0.01, 0.878175 - 0.8325), math.hypot(0.01, 0.8325 - 0.774106)
        assert row.difference == pytest.approx((found, found - below, found + above), abs=1e-5)


def test_what_departs_on_purpose_is_not_compared(tmp_path):
    (row,) = rows_of(filled(tmp_path, paper=[0.8]), "chen")
    altered = row.experiment.model_copy(update={"altered": True})
    assert replace(row, experiment=altered).difference is None


def test_leaks_are_of_seeds_in_common(tmp_path):
    (leak,) = leaks(filled(tmp_path, paper=[0.9, 0.8, 0.9], honest=[0.7, 0.7]))
    assert leak.difference == pytest.approx(0.15)
    assert leak.leaky.seeds == leak.honest.seeds == 2
    # Differences .2 and .1, t of 1 degree of freedom 12.706: .15 ± 12.706 × .0707 / √2.
    assert (leak.low, leak.high) == pytest.approx((-0.4853, 0.7853), abs=1e-4)
    assert leak.twins is None


def test_what_was_computed_in_other_precision_says_nothing_of_leaks(tmp_path):
    findings = filled(tmp_path, paper=[0.9, 0.8], honest=[0.7, 0.7])
    job = next(j for j in findings.jobs.values() if (j.protocol, j.seed) == ("honest", 0))
    result = findings.store.read(job)
    environment = result.environment.model_copy(update={"precision": "bf16"})
    findings.store.write(job, result.model_copy(update={"environment": environment}))
    (leak,) = leaks(Findings(findings.plans, findings.store))
    assert (leak.leaky.seeds, leak.difference) == (1, pytest.approx(0.1))


def test_what_twins_make_is_of_all_faces(tmp_path):
    made_of = OnTwins(leaky=0.9, honest=0.7, share=0.1)
    assert made_of.difference == pytest.approx(0.02)


def test_one_seed_has_no_interval_of_the_leak(tmp_path):
    (leak,) = leaks(filled(tmp_path, paper=[0.9], honest=[0.7]))
    assert (leak.low, leak.high) == (None, None)


def test_twins_are_what_all_faces_have_more(tmp_path):
    store, data = Store(tmp_path), made.data("fer2013", "f")
    for job in jobs_of(PLANS, "chen"):
        value = {"paper": 0.9, "honest": 0.8}[job.protocol]
        every = made.figures(value, "test", images=100, leaked=20)
        store.write(job, made.result(job, value, data=data, figures=every))
    (leak,) = leaks(Findings(PLANS, store))
    assert (leak.twins.leaky, leak.twins.honest) == pytest.approx((1, 1))
    assert (leak.twins.share, leak.twins.difference) == pytest.approx((0.2, 0))
    (own,) = own_twins(Findings(PLANS, store))
    assert (own.split, own.faces, own.alone) == ("test", 20, pytest.approx(1))
    assert own.every.value == pytest.approx(0.9)
    assert own.without.value == pytest.approx(70 / 80)


def test_without_twins_there_is_nothing_to_say_of_them(tmp_path):
    assert not list(own_twins(filled(tmp_path, paper=[0.9])))


def test_which_protocol_has_the_leaks_left_in(tmp_path):
    plans = shipped_plans()
    findings = Findings(plans, Store(tmp_path))
    found = {
        (paper, e.name): left_in(findings, paper, e)
        for paper, plan in plans.items()
        for e in plan.experiments
    }
    assert found["chen", "test"] == "paper"
    assert found["chen", "folds"] is None
    assert found["choudhari", "plain"] == "paper"
    assert found["kusno-chowanda", "model-6-ckplus48"] == "leaky"
    assert found["kusno-chowanda", "model-4-fer2013"] == "leaky"
    assert found["kusno-chowanda", "model-1-fer2013"] is None
    assert found["fatimatuzzahra", "improved"] is None
    assert found["mahastama", "scenario-6"] is None


def test_a_result_comes_back_as_it_was_written(tmp_path):
    store, job = Store(tmp_path), next(jobs_of(PLANS, "chen"))
    written = made.result(job, 0.5)
    assert job not in store
    store.write(job, written)
    assert job in store
    assert store.read(job) == written
    assert store.path(job) == tmp_path / "chen" / "test-paper-seed0.json"


def test_a_result_of_another_recipe_is_refused(tmp_path):
    store, job = Store(tmp_path), next(jobs_of(PLANS, "chen"))
    store.write(job, made.result(job, 0.5))
    overrides = (*job.experiment.overrides, "training.epochs=3")
    changed = replace(job, experiment=job.experiment.model_copy(update={"overrides": overrides}))
    with pytest.raises(MienError, match="another recipe than chen/test-paper-seed0"):
        store.read(changed)


def test_quick_results_and_full_ones_are_not_mixed(tmp_path):
    quick = next(jobs_of(PLANS, "chen", quick=True))
    Store(tmp_path, quick=True).write(quick, made.result(quick, 0.5))
    with pytest.raises(MienError, match="is a quick result"):
        Findings(PLANS, Store(tmp_path))
    assert Findings(PLANS, Store(tmp_path, quick=True)).all()


def test_a_damaged_result_is_one_sentence(tmp_path):
    store, job = Store(tmp_path), next(jobs_of(PLANS, "chen"))
    store.write(job, made.result(job, 0.5))
    content = json.loads(store.path(job).read_text())
    store.path(job).write_text(json.dumps({**content, "seconds": "long"}))
    with pytest.raises(MienError, match="is not a result: seconds: "):
        store.read(job)
