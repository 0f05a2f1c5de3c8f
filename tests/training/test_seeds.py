"""One recipe under several seeds: what each run is trained with, on which faces, and where."""

import pytest

from makers import SMALL_RECIPE
from mien.errors import MienError
from mien.recipe import find_recipe, load_recipe
from mien.reproduction.job import jobs_of
from mien.reproduction.plan import shipped_plans
from mien.training.seeds import Seeds, begun_seeds, check_place, run_of, train_seed


def plan(dataset, *overrides, numbers=(0, 4), **rest):
    recipe = load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *overrides])
    return Seeds(recipe, [dataset], numbers, **rest)


def test_a_seed_is_that_of_the_training_and_of_the_division(small_dataset):
    found = plan(small_dataset, "training.seed=9", "data.seed=8").recipe_of(4)
    assert (found.training.seed, found.data.seed, found.expected) == (4, 4, ())
    fixed = plan(small_dataset, "data.seed=8", one_division=True).recipe_of(4)
    assert (fixed.training.seed, fixed.data.seed) == (4, 8)


def test_a_seed_trains_what_a_paper_s_experiment_trains_with_it():
    jobs = [j for j in jobs_of(shipped_plans(), "chen") if j.protocol == "paper"]
    job = next(j for j in jobs if (j.experiment.name, j.seed) == ("test", 2))
    made = Seeds(load_recipe(find_recipe("chen")), [], (0, 2))
    assert made.recipe_of(2) == job.recipe()
    assert made.draws_anew


@pytest.mark.parametrize(
    ("override", "draws"),
    [
        ("data.drop_twins=true", False),
        ("data.validate_on_test=true", False),
        ("data.split=60:20:20", True),
        ("data.at_most=5", True),
        ("data.at_least=9", True),
        ("data.test_per_class=1", True),
    ],
)
def test_which_data_parts_draw_anew(small_dataset, override, draws):
    made = plan(small_dataset, override)
    assert made.draws_anew == draws
    assert not plan(small_dataset, override, one_division=True).draws_anew
    assert ("other faces with each seed" in made.how) == draws


def test_faces_that_no_seed_draws_are_assembled_once(small_dataset):
    made = plan(small_dataset)
    assert made.faces_of(0) is made.faces_of(4)
    assert (made.faces_of(0).splits == small_dataset.splits).all()


def test_a_random_division_is_another_one_with_each_seed(small_dataset):
    made = plan(small_dataset, "data.split=60:20:20")
    first, second = made.faces_of(0), made.faces_of(4)
    assert (first.ids == second.ids).all()
    assert (first.splits != second.splits).any()
    assert made.faces_of(0).fingerprint == first.fingerprint
    fixed = plan(small_dataset, "data.split=60:20:20", one_division=True)
    assert fixed.faces_of(0) is fixed.faces_of(4)
    assert "data.seed is 0 for all" in fixed.how


def test_repeats_of_training_faces_are_drawn_with_each_seed(small_dataset):
    parts = [plan(small_dataset, "data.at_least=10").faces_of(seed) for seed in (0, 4)]
    copies = [[i for i in part.ids.tolist() if "#" in i] for part in parts]
    assert all(copies)
    assert copies[0] != copies[1]
    tests = [part.in_split("test").fingerprint for part in parts]
    assert tests[0] == tests[1]


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((), "two or more, such as 0,1,2: one alone has no interval. Got none."),
        ((3,), "one alone has no interval. Got 3."),
        ((3, 1, 3), "Got 3 twice in 3,1,3."),
        ((0, 2**32), "from 0 to 4294967295. Got 4294967296 instead."),
        ((0, -1), "from 0 to 4294967295. Got -1 instead."),
    ],
)
def test_seeds_that_are_none_are_one_sentence(small_dataset, numbers, sentence):
    with pytest.raises(MienError) as refused:
        plan(small_dataset, numbers=numbers)
    assert sentence in str(refused.value)


def begun(folder, *seeds):
    for seed in seeds:
        run = run_of(folder, seed)
        run.folder.mkdir(parents=True)
        run.recipe_file.touch()
    return folder


def test_begun_seeds_are_those_whose_folders_hold_a_run(tmp_path):
    begun(tmp_path, 10, 9)
    (tmp_path / "seed-3").mkdir()  # a start that was killed
    begun(tmp_path / "seed-x", 1)
    assert begun_seeds(tmp_path) == [9, 10]
    assert begun_seeds(tmp_path / "none") == []


def test_a_folder_is_begun_once_and_continued(tmp_path):
    folder = tmp_path / "runs"
    check_place(folder, resume=False)
    with pytest.raises(MienError, match="holds no runs of seeds to resume"):
        check_place(folder, resume=True)
    (folder / "seed-0").mkdir(parents=True)
    (folder / "data").mkdir()
    check_place(folder, resume=False)
    begun(folder, 1)
    check_place(folder, resume=True)
    with pytest.raises(MienError, match="continue them with --resume"):
        check_place(folder, resume=False)
    with pytest.raises(MienError, match="must be a path without '::'"):
        check_place(tmp_path / "s::t", resume=False)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "recipe.toml").touch()
    with pytest.raises(MienError, match=r"holds recipe\.toml\. Give another one with --run"):
        check_place(tmp_path, resume=False)


def test_each_seed_is_a_run_of_its_own_that_is_the_recipe_with_that_seed(small_dataset, tmp_path):
    tiny = "network.options={stem = 8, channels = [8], blocks = [1], dropout = 0.0}"
    made = plan(small_dataset, tiny, "training.epochs=1", "data.split=60:20:20")
    runs = [train_seed(made, seed, tmp_path, progress=False) for seed in (0, 4)]
    assert [run.folder.name for run in runs] == ["seed-0", "seed-4"]
    assert [run.recipe().training.seed for run in runs] == [0, 4]
    prints = [run.data()["fingerprint"] for run in runs]
    assert prints == [made.faces_of(seed).fingerprint for seed in (0, 4)]
    losses = [run.epochs()[0]["train_loss"] for run in runs]
    assert losses[0] != losses[1]
    written = runs[1].last.stat().st_mtime_ns
    train_seed(made, 4, tmp_path, progress=False)
    assert runs[1].last.stat().st_mtime_ns == written
    other = plan(small_dataset, tiny, "training.epochs=1")
    with pytest.raises(MienError, match="seed-4 holds a run of another recipe: data differ"):
        train_seed(other, 4, tmp_path, progress=False)
