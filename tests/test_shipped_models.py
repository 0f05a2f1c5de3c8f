"""What ships is what its card says."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.evaluation.metrics import METRICS, expected_calibration_error
from mien.evaluation.model_predictions import file_predictions
from mien.evaluation.predictions import leaked_faces
from mien.export.model_card import model_card_page
from mien.inference.classifier import Classifier
from mien.inference.zoo import model_path, read_card, shipped_models
from mien.labels import EXPRESSIONS, label_set
from mien.recipe import shipped_recipes
from mien.signals import SIGNALS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).parents[1]

MOST_BYTES = {"mien-tiny": 500_000, "mien-base": 3_000_000, "mien-large": 6_000_000}


def test_the_family_ships_and_is_small():
    assert set(shipped_models()) == set(MOST_BYTES)
    assert sum(model_path(name).stat().st_size for name in MOST_BYTES) <= 10_000_000


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_has_its_recipe_and_page_and_is_small(name):
    path = model_path(name)
    card = read_card(path)
    assert card.name == name
    recipes = [member.recipe for member in card.members] or [card.recipe]
    names = {tomllib.loads(recipe)["name"] for recipe in recipes}
    assert names <= set(shipped_recipes())
    assert path.stat().st_size <= MOST_BYTES[name]
    assert card.signals == SIGNALS
    assert card.precision == "int8"
    assert path.with_suffix(".md").read_text(encoding="utf-8") == model_card_page(card)


@pytest.fixture(scope="module")
def predicted(real_fer2013):
    """What each model says of PrivateTest, by name; of the other splits it would take longer."""
    leaked = dict(zip(real_fer2013.ids, leaked_faces(real_fer2013)))
    test = real_fer2013.in_split("test")
    return {
        name: [
            replace(table, leaked=np.array([leaked[id_] for id_ in table.ids]))
            for table in file_predictions(Classifier(name), test)
        ]
        for name in shipped_models()
    }


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_models())
def test_the_cards_figures_are_measured_again(name, real_fer2013, predicted):
    card = read_card(model_path(name))
    assert card.data_fingerprint == real_fer2013.fingerprint
    for table in predicted[name]:
        test = table.judged("test")
        subsets = {
            "all": test,
            "without leaked": test.select(~test.leaked),
            "among four": test.among(label_set("four")).judged("test"),
        }
        own = [f for f in card.figures if f.head == table.labels.name and f.dataset == "fer2013"]
        assert {f.subset for f in own} == set(subsets)
        for figure in (f for f in own if f.metric in METRICS):
            faces = subsets[figure.subset]
            assert figure.images == len(faces)
            value = METRICS[figure.metric](faces.truth, faces.probabilities)
            assert value == pytest.approx(figure.value, abs=2e-3), figure


@pytest.mark.data
@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_is_no_worse_than_what_was_promised(name, predicted):
    least = {"mien-tiny": (0.6, 0.8), "mien-base": (0.68, 0.86), "mien-large": (0.69, 0.87)}
    ferplus, basic = predicted[name]
    for table, wanted in zip((basic, ferplus), least[name]):
        test = table.judged("test")
        assert (test.probabilities.argmax(1) == test.truth).mean() >= wanted
        assert expected_calibration_error(test.truth, test.probabilities) <= 0.04


@pytest.mark.data
def test_the_readmes_recalls_are_those_measured(predicted):
    test = predicted["mien-base"][0].judged("test")
    truth, decided = test.truth, test.probabilities.argmax(1)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for index, expression in enumerate(EXPRESSIONS):
        shown = truth == index
        assert expression in readme
        assert f"{np.mean(decided[shown] == index):.2f} ({int(shown.sum()):,})" in readme
