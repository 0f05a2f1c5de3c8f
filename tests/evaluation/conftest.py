"""A run whose recipe divided the small dataset in another way than that is divided."""

from dataclasses import replace

import pytest

from makers import SMALL_RECIPE
from mien.data.assemble import assemble
from mien.recipe import find_recipe, load_recipe

DIVIDED = [
    "data.split=60:20:20",
    "data.keep=nothing",
    "data.seed=1",
    "data.drop_twins=false",
    "heads=[{labels='basic7'}]",
    "signals=[]",
    "training.epochs=1",
]


@pytest.fixture(scope="session")
def bare(small_dataset):
    """The small dataset as it is read without votes."""
    return replace(small_dataset, votes=None, history=())


@pytest.fixture(scope="session")
def anew(bare, tmp_path_factory):
    """A finished training, never calibrated, on a division of its recipe's own."""
    from mien.training.train import train

    recipe = load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *DIVIDED])
    folder = tmp_path_factory.mktemp("anew") / "anew"
    return train(recipe, assemble(recipe.data, [bare]), folder, progress=False)
