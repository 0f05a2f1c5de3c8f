"""The shipped plans: every experiment of the papers, under protocols that are what they say."""

import re
from pathlib import Path

import pytest

from mien.errors import RecipeError
from mien.recipe import find_recipe, find_space, load_recipe, shipped_recipes
from mien.recipe.data import OFFICIAL
from mien.reproduction.job import cheapest_first, jobs_of, wanted_jobs
from mien.reproduction.kinds import KINDS
from mien.reproduction.plan import NEEDS, load_plan, shipped_plans
from mien.reproduction.rows import Reported, reported
from mien.training.tuning.space import grid_of, read_space

PLANS = shipped_plans()
JOBS = {job.key: job for paper in PLANS for job in jobs_of(PLANS, paper)}
TRAINED = [job for job in JOBS.values() if not job.members]
EXPERIMENTS = [(paper, e) for paper, plan in PLANS.items() for e in plan.experiments]

WITHOUT_FIGURE = {f"kusno-{n}-fer2013" for n in (5, 6, 7, 8)}
"""The paper gives none for these."""


def test_every_recipe_of_a_paper_is_in_a_plan():
    own = ("mien-", "fine-tune")
    of_papers = {name for name in shipped_recipes() if not name.startswith(own)}
    planned = {e.recipe for _, e in EXPERIMENTS if e.recipe}
    assert planned == of_papers - WITHOUT_FIGURE


def test_names_are_unique_and_fit_for_files():
    names = [(paper, e.name) for paper, e in EXPERIMENTS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for _, name in names)


def test_each_kind_has_a_runner():
    assert {*KINDS, "average"} == set(NEEDS)


@pytest.mark.parametrize("job", TRAINED, ids=lambda job: job.key)
def test_a_job_trains_the_paper_s_recipe_but_for_protocol_and_seed(job):
    shipped = load_recipe(find_recipe(job.experiment.recipe), job.experiment.overrides)
    recipe = job.recipe()
    assert (recipe.training.seed, recipe.data.seed) == (job.seed, job.seed)
    changed = {p for p in type(recipe).model_fields if getattr(recipe, p) != getattr(shipped, p)}
    assert changed <= {"training", "data", "expected"}
    seedless = recipe.training.model_copy(update={"seed": shipped.training.seed})
    assert seedless == shipped.training
    if job.protocol == "paper":
        assert recipe.data.model_copy(update={"seed": 0}) == shipped.data


@pytest.mark.parametrize(
    "job", [job for job in TRAINED if job.protocol == "honest"], ids=lambda job: job.key
)
def test_the_honest_protocol_has_no_leak(job):
    data = job.recipe().data
    assert not data.validate_on_test
    if data.dataset == "ckplus48":
        assert data.keep == "subjects"
        assert len(data.shares) == 3
    else:
        assert data.dataset == "fer2013"
        assert data.split == OFFICIAL
        assert data.drop_twins


@pytest.mark.parametrize(
    "job", [job for job in TRAINED if job.protocol == "leaky"], ids=lambda job: job.key
)
def test_the_leaky_protocol_differs_from_the_honest_one_by_the_leak_alone(job):
    honest = JOBS[job.key.replace("leaky", "honest")].recipe().data
    leaky = job.recipe().data
    (changed,) = (f for f in type(leaky).model_fields if getattr(leaky, f) != getattr(honest, f))
    assert changed == {"ckplus48": "keep", "fer2013": "drop_twins"}[leaky.dataset]


def test_what_must_be_run():
    seeds = {(job.paper, job.experiment.name): set() for job in JOBS.values()}
    for job in JOBS.values():
        seeds[job.paper, job.experiment.name].add(job.seed)
    for model in range(1, 9):
        assert len(seeds["kusno-chowanda", f"model-{model}-ckplus48"]) >= 3
    for model in range(1, 5):
        assert ("kusno-chowanda", f"model-{model}-fer2013") in seeds
    assert PLANS["chen"].experiment("folds").folds == 5
    redraw = PLANS["fatimatuzzahra"].experiment("improved").redraw
    assert (redraw.per_class * 4, redraw.times) == (200, 20)
    for scenario in ("2", "3", "6", "7-without-imed", "9-without-imed"):
        assert ("mahastama", f"scenario-{scenario}") in seeds


def test_mahastama_s_scenario_8_without_imed_is_scenario_6():
    without = ['skip=""', 'data.dataset="fer2013+ckplus48"', "data.at_least=0"]
    eighth = load_recipe(find_recipe("mahastama-8-all-1000"), without)
    sixth = load_recipe(find_recipe("mahastama-6-fer2013-ckplus48"))
    named = ("name", "source", "expected")
    parts = [key for key in type(sixth).model_fields if key not in named]
    assert all(getattr(eighth, key) == getattr(sixth, key) for key in parts)


def test_experiments_with_imed_say_so_and_the_others_do_not():
    for job in TRAINED:
        assert ("imed" in job.datasets()) == bool(job.why_not())
        assert job.datasets() <= {"imed", "fer2013", "ckplus48"}


def test_a_grid_holds_the_recipe_s_own_values():
    for _, experiment in EXPERIMENTS:
        if experiment.kind == "grid":
            recipe = load_recipe(find_recipe(experiment.recipe), experiment.overrides)
            path = find_space(Path(experiment.space))
            grid = grid_of(read_space(path, recipe), str(path))
            own = (recipe.optimiser.learning_rate, recipe.training.batch_size)
            keys = ("optimiser.learning_rate", "training.batch_size")
            assert own in [tuple(values[key] for key in keys) for values in grid]


def test_an_average_is_of_planned_networks_on_the_same_faces_and_comes_after_them():
    averages = [job for job in JOBS.values() if job.members]
    assert averages
    ordered = [job.key for job in cheapest_first(averages)]
    for job in averages:
        # An official split has no use for a seed, nor for what a ratio would not divide.
        unused = {"seed": 0, "keep": "nothing"}
        parts = [member.recipe().data.model_copy(update=unused) for member in job.members]
        assert parts[0].split == OFFICIAL
        assert parts == parts[:1] * len(parts)
        for member in job.members:
            assert member.key in JOBS
            assert ordered.index(member.key) < ordered.index(job.key)


def test_prose_has_no_figure_that_is_not_the_paper_s():
    """Figures of ours come into notes through their places alone."""
    for plan in PLANS.values():
        recipes = [find_recipe(e.recipe).read_text() for e in plan.experiments if e.recipe]
        prose = [plan.about, plan.chosen, plan.discussion, *(e.note for e in plan.experiments)]
        for figure in re.findall(r"\d*\.\d+", " ".join(prose)):
            assert any(figure.lstrip("0") in text for text in recipes), figure


def test_the_quick_jobs_are_one_seed_each_and_small():
    quick = wanted_jobs(PLANS, "all", quick=True)
    names = [(job.paper, job.experiment.name, job.protocol) for job in quick]
    assert len(set(names)) == len(names)
    for job in quick:
        for one in job.members or (job,):
            recipe = one.recipe()
            assert (recipe.training.epochs, recipe.data.at_most) == (2, 40)


def test_protocols_and_seeds_choose_among_the_jobs():
    chosen = wanted_jobs(PLANS, "choudhari", ["augmented"], protocols=["honest"], seeds=[0, 2])
    assert [(j.protocol, j.seed) for j in chosen] == [("honest", 0), ("honest", 2)]
    honest = wanted_jobs(PLANS, "all", protocols=["honest"])
    assert {job.key for job in honest} == {k for k, j in JOBS.items() if j.protocol == "honest"}


def test_what_averages_are_made_of_is_kept():
    members = {member.key for job in JOBS.values() for member in job.members}
    assert members == {key for key, job in JOBS.items() if job.kept}
    assert all(member.kept for job in JOBS.values() for member in job.members)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"paper": "kusno"}, "known: all, averaging, chen"),
        ({"paper": "chen", "only": ["fold"]}, "did you mean 'folds'"),
        ({"paper": "chen", "protocols": ["honset"]}, "Unknown protocol 'honset': did you mean"),
        (
            {"paper": "choudhari", "only": ["grid"], "protocols": ["paper"], "seeds": [3, 4]},
            "under paper and seed 3 or seed 4. These experiments are run under honest with seed 0.",
        ),
    ],
)
def test_an_unknown_name_is_one_sentence(arguments, sentence):
    with pytest.raises(RecipeError, match=sentence):
        wanted_jobs(PLANS, **arguments)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("title = ", "cannot be read"),
        ('title = "a"\nabout = "b"', "experiments: Field required"),
        (
            'title="a"\nabout="b"\n[[experiments]]\nname="c"\ntitle="d"\nminutes=1\nkind="grid"',
            "needs space",
        ),
    ],
)
def test_a_plan_that_does_not_fit_is_one_sentence(tmp_path, text, sentence):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=sentence):
        load_plan(path)


def test_a_folded_figure_is_compared_with_nothing_printed():
    assert reported(PLANS["chen"].experiment("folds")) == [Reported("folds")]
    assert reported(PLANS["chen"].experiment("test")) == [Reported("test", 0.8325, 197)]
    improved = PLANS["fatimatuzzahra"].experiment("improved")
    assert reported(improved) == [Reported("val", 0.899, 3950), Reported("test", 0.78, 200)]
