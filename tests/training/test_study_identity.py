import hashlib
import json

import optuna
import pytest

from makers import SMALL_RECIPE
from mien.errors import MienError
from mien.recipe import find_recipe, load_recipe
from mien.training.tuning.storage import check_same


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *overrides])


def test_a_study_begun_before_convolutions_could_be_chosen_goes_on(small_dataset):
    content = recipe().model_dump(mode="json")
    del content["training"]["convolutions"]
    study = optuna.create_study(study_name="old")
    digest = hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()
    study.set_user_attr("recipe", digest)
    check_same(study, recipe(), {}, "grid", small_dataset)
    assert study.user_attrs["data"] == small_dataset.fingerprint
    direct = recipe("training.convolutions=direct")
    with pytest.raises(MienError, match="'old' was begun otherwise: recipe differ"):
        check_same(study, direct, {}, "grid", small_dataset)
