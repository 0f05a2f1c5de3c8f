import hashlib
import json

import optuna
import pytest

from makers import SMALL_RECIPE
from mien.errors import MienError
from mien.recipe import find_recipe, load_recipe
from mien.training.tuning.storage import check_same
from mien.training.tuning.tune import Search


def recipe(*overrides):
    cleaned = ["data.clean=['identical']"]
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *cleaned, *overrides])


@pytest.mark.parametrize(
    "override",
    [
        "training.convolutions=direct",
        "optimiser.sam=0.05",
        "data.clean_splits=['train']",
    ],
)
def test_a_study_begun_before_there_was_a_key_goes_on(small_dataset, override):
    content = recipe().model_dump(mode="json")
    del content["training"]["convolutions"]
    del content["optimiser"]["sam"]
    del content["data"]["clean_splits"]
    study = optuna.create_study(study_name="old")
    digest = hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()
    study.set_user_attr("recipe", digest)
    check_same(study, recipe(), {}, {"sampler": "grid"}, small_dataset)
    assert study.user_attrs["data"] == small_dataset.fingerprint
    other = recipe(override)
    with pytest.raises(MienError, match="'old' was begun otherwise: recipe differ"):
        check_same(study, other, {}, {"sampler": "grid"}, small_dataset)


@pytest.mark.parametrize(
    ("search", "what"),
    [
        (Search("random", seed=7), "seed"),
        (Search("random", prune=False), "pruning"),
        (Search("tpe"), "sampler"),
    ],
)
def test_a_study_is_searched_in_one_way(small_dataset, search, what):
    study = optuna.create_study(study_name="one")
    check_same(study, recipe(), {}, Search("random").choices, small_dataset)
    check_same(study, recipe(), {}, Search("random", trials=3).choices, small_dataset)
    with pytest.raises(MienError, match=f"'one' was begun otherwise: {what} differ"):
        check_same(study, recipe(), {}, search.choices, small_dataset)
