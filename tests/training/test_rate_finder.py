import numpy as np
import pytest
import torch

from makers import SMALL_RECIPE
from mien.errors import RecipeError, TrainingError
from mien.recipe import find_recipe, load_recipe
from mien.training.rate_finder import _losses, _search, _Training, find_rate, plot_search


def test_a_rate_is_found_and_drawn(small_dataset, tmp_path):
    recipe = load_recipe(find_recipe("mien-base"), SMALL_RECIPE)
    found = find_rate(recipe, small_dataset, steps=60, progress=False)
    again = find_rate(recipe, small_dataset, steps=60, progress=False)
    assert found.suggestion == again.suggestion
    assert 1e-5 < found.suggestion < 1
    assert found.losses.min() < found.losses[0]
    plot_search(found, tmp_path / "rates.png")
    assert (tmp_path / "rates.png").stat().st_size > 5_000


def test_gradients_are_clipped_as_the_training_clips_them(small_dataset):
    optimiser = "optimiser={name='sgd', learning_rate=1.0, momentum=0.0}"
    moved = {}
    for limit in (0.0, 1e-2):
        given = [*SMALL_RECIPE, optimiser, f"training.gradient_clip={limit}"]
        recipe = load_recipe(find_recipe("mien-base"), given)
        training = _Training.of(recipe, small_dataset, progress=False)
        before = [weight.detach().clone() for weight in training.module.network.parameters()]
        next(iter(_losses(training, [2.0])))
        after = training.module.network.parameters()
        steps = torch.cat([(w.detach() - b).flatten() for w, b in zip(after, before)])
        moved[limit] = float(steps.norm())
    # A rate of 2 times the norm.
    assert moved[1e-2] == pytest.approx(2 * 1e-2, rel=1e-3)
    assert moved[0.0] > 50 * moved[1e-2]


def test_what_cannot_be_trained_is_not_searched(small_dataset):
    recipe = load_recipe(find_recipe("kusno-1-fer2013"), ["training.batch_size=1"])
    with pytest.raises(RecipeError, match="batch_size must be 2 or more"):
        find_rate(recipe, small_dataset, steps=5, progress=False)


def test_the_suggestion_keeps_away_from_where_the_loss_grows():
    rates = np.geomspace(1e-6, 1, 61)
    losses = (np.log10(rates) + 1) ** 2
    assert _search(rates, losses).suggestion == pytest.approx(1e-2)
    with pytest.raises(TrainingError, match="cannot be searched"):
        _search(rates[:2], losses[:2])
