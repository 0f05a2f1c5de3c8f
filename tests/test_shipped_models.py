"""What ships is what its card says."""

from pathlib import Path

import numpy as np
import pytest

from mien.data.dataset import NO_TARGET
from mien.evaluation.metrics import METRICS
from mien.evaluation.predictions import leaked_faces
from mien.export.model_card import model_card_page
from mien.inference.classifier import Classifier
from mien.inference.zoo import model_path, read_card, shipped_models
from mien.labels import EXPRESSIONS
from mien.recipe import HeadPart, shipped_recipes
from mien.training.targets import head_targets

REPOSITORY = Path(__file__).parents[1]

TARGETS = {"ferplus8": "votes", "basic7": "label"}


def test_the_default_model_ships():
    assert "mien-base" in shipped_models()


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_has_its_recipe_and_page_and_is_small(name):
    path = model_path(name)
    card = read_card(path)
    assert card.name == name
    assert name in shipped_recipes()
    assert path.stat().st_size <= 12_000_000
    assert path.with_suffix(".md").read_text(encoding="utf-8") == model_card_page(card)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_models())
def test_the_cards_figures_are_measured_again(name, real_fer2013):
    card = read_card(model_path(name))
    assert card.data_fingerprint == real_fer2013.fingerprint
    leaked = leaked_faces(real_fer2013)[real_fer2013.splits == "test"]
    test = real_fer2013.in_split("test")
    classifier = Classifier(name)
    for head in card.heads:
        part = HeadPart.model_validate({"labels": head.name, "target": TARGETS[head.name]})
        truth = head_targets(test, part).truth
        probabilities = classifier.classify(test.images, head.name)
        subsets = {"all": truth != NO_TARGET, "without leaked": (truth != NO_TARGET) & ~leaked}
        for figure in (f for f in card.figures if f.head == head.name):
            kept = subsets[figure.subset]
            assert figure.images == int(kept.sum())
            value = METRICS[figure.metric](truth[kept], probabilities[kept])
            assert value == pytest.approx(figure.value, abs=2e-3), figure


@pytest.mark.data
def test_the_readmes_recalls_are_those_measured(real_fer2013):
    test = real_fer2013.in_split("test")
    truth = head_targets(test, HeadPart(labels="ferplus8", target="votes")).truth
    decided = Classifier("mien-base").classify(test.images).argmax(1)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for index, expression in enumerate(EXPRESSIONS):
        shown = truth == index
        assert expression in readme
        assert f"{np.mean(decided[shown] == index):.2f} ({int(shown.sum()):,})" in readme


@pytest.mark.data
def test_mien_base_reaches_what_the_readme_promises(real_fer2013):
    test = real_fer2013.in_split("test")
    classifier = Classifier("mien-base")
    labels = classifier.classify(test.images, "basic7").argmax(1)
    assert np.mean(labels == test.targets) >= 0.68
    truth = head_targets(test, HeadPart(labels="ferplus8", target="votes")).truth
    known = truth != NO_TARGET
    assert int(known.sum()) == 3_153
    votes = classifier.classify(test.images[known], "ferplus8").argmax(1)
    assert np.mean(votes == truth[known]) >= 0.85
