import dataclasses

import numpy as np
import pytest
import torch

from makers import SMALL_RECIPE
from mien.data.assemble import assemble
from mien.errors import MienError, ModelError, RecipeError
from mien.evaluation.average.averaging import mean_logits
from mien.evaluation.average.ensemble import build_ensemble
from mien.evaluation.average.shares import fit_shares
from mien.evaluation.average.tables import average_tables
from mien.evaluation.predict import predict
from mien.evaluation.report import head_report
from mien.export.export import export_ensemble
from mien.export.model_card import model_card_page
from mien.inference.classifier import Classifier
from mien.recipe import find_recipe, load_recipe
from mien.training.source import open_source
from mien.training.train import train

OTHER = ["network.name=chen", "network.options={}", "preprocess.std=32.0"]
OTHER += ["optimiser.learning_rate=0.02", "training.epochs=4", "signals=[]"]


@pytest.fixture(scope="module")
def sources(small_run, small_dataset, tmp_path_factory):
    recipe = load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, *OTHER])
    other = train(recipe, small_dataset, tmp_path_factory.mktemp("other") / "chen", progress=False)
    return open_source(str(small_run.folder)), open_source(str(other.folder))


@pytest.fixture(scope="module")
def ensemble(sources, small_dataset):
    return build_ensemble(sources, small_dataset)


def test_averages_are_the_hand_computed_ones():
    logits = torch.log(torch.tensor([[[0.9, 0.1]], [[0.5, 0.5]]]))
    mean = mean_logits(logits, [0.25, 0.75], "probabilities").softmax(1)
    np.testing.assert_allclose(mean, [[0.6, 0.4]], atol=1e-6)
    geometric = mean_logits(logits, [0.5, 0.5], "logits").softmax(1)
    np.testing.assert_allclose(geometric, [[0.75, 0.25]], atol=1e-6)
    alone = mean_logits(logits, [0.0, 1.0], "probabilities").softmax(1)
    np.testing.assert_allclose(alone, [[0.5, 0.5]], atol=1e-6)


@pytest.mark.parametrize("averaging", ["probabilities", "logits"])
def test_fitted_shares_are_the_best_of_all(averaging):
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 300)
    logits = random.normal(size=(2, 300, 3))
    logits[0, np.arange(300), truth] += 2
    logits[1, np.arange(300), truth] += 1

    def loss(first):
        mean = mean_logits(torch.from_numpy(logits), [first, 1 - first], averaging)
        return float(torch.nn.functional.cross_entropy(mean, torch.from_numpy(truth)))

    found = fit_shares(logits, truth, averaging)
    assert sum(found) == pytest.approx(1)
    assert 0.5 < found[0] <= 1
    assert loss(found[0]) <= min(loss(first) for first in np.linspace(0, 1, 101)) + 1e-6


def test_a_member_that_only_disturbs_does_not_count():
    truth = np.arange(90) % 3
    right = np.eye(3)[truth] * 4
    found = fit_shares(np.stack([right, -right, right / 8]), truth, "probabilities")
    assert found == (1.0, 0.0, 0.0)
    with pytest.raises(MienError, match="no validation face"):
        fit_shares(np.zeros((2, 0, 3)), np.zeros(0, np.int64), "logits")


def test_shares_and_temperatures_are_fitted_on_validation_alone(sources, small_dataset):
    test = small_dataset.splits == "test"
    targets = np.where(test, (small_dataset.targets + 1) % 7, small_dataset.targets)
    votes = small_dataset.votes.copy()
    votes[test] = np.roll(votes[test], 1, axis=1)
    turned = dataclasses.replace(small_dataset, targets=targets, votes=votes)
    moved = [dataclasses.replace(s, data_fingerprint=turned.fingerprint) for s in sources]
    first = build_ensemble(sources, small_dataset, "logits", "fit")
    second = build_ensemble(moved, turned, "logits", "fit")
    assert [m.shares for m in first.given] == [m.shares for m in second.given]
    assert [m.temperatures for m in first.given] == [m.temperatures for m in second.given]
    assert [r.head for r in first.reports] == [r.head for r in second.reports]
    assert [r.figures for r in first.reports] != [r.figures for r in second.reports]


@pytest.mark.parametrize("averaging", ["probabilities", "logits"])
def test_the_exported_file_is_the_average_that_was_measured(
    sources, small_dataset, averaging, tmp_path
):
    made = build_ensemble(sources, small_dataset, averaging)
    card = export_ensemble(made, tmp_path / "both.onnx")
    classifier = Classifier(tmp_path / "both.onnx")
    crops = small_dataset.images[:9]
    parts = []
    for member in made.members:
        with torch.inference_mode():
            seen = torch.from_numpy(member.source.recipe.preprocess.to_input(crops))
            logits = member.source.network(seen)["basic7"] / member.temperatures["basic7"]
        parts.append(logits.softmax(1).double())
    mean = torch.stack(parts).mean(0)
    if averaging == "logits":
        mean = torch.stack(parts).log().mean(0).softmax(1)
    wanted = (mean.log() / card.head("basic7").temperature).softmax(1)
    np.testing.assert_allclose(classifier.classify(crops, "basic7"), wanted, atol=1e-4)
    width = sum(member.source.network.heads.width for member in made.members)
    assert classifier.features(crops).shape == (9, width)
    assert [member.name for member in card.members] == ["small", "chen"]
    assert card.figures == tuple(f for r in (*made.reports, made.doubt) for f in r.figures)
    own = [member.source.network for member in made.members if member.source.recipe.signals]
    assert len(own) == 1  # the other says nothing besides expressions
    with torch.inference_mode():
        said = own[0](torch.from_numpy(made.members[0].source.recipe.preprocess.to_input(crops)))
    wanted = said["agreement"].sigmoid()[:, 0]
    np.testing.assert_allclose(classifier.judge(crops).signals["agreement"], wanted, atol=1e-4)
    page = model_card_page(card)
    assert f"weighted mean of their {averaging}" in page
    assert page.count("```toml") == 2
    with pytest.raises(ModelError, match="is an ensemble: name one of its members, small, chen"):
        open_source(str(tmp_path / "both.onnx"))


def test_each_member_is_reported_as_alone(ensemble, sources, small_dataset):
    from mien.evaluation.predict import predict_with

    first = sources[0].recipe
    table = predict_with(sources[0].network, first.preprocess, first.heads, small_dataset)[0]
    assert ensemble.given[0].reports[0] == head_report(table, "fer2013")
    assert [m.shares for m in ensemble.given] == [{"ferplus8": 0.5, "basic7": 0.5}] * 2


def changed(source, **update):
    return dataclasses.replace(source, recipe=source.recipe.model_copy(update=update))


def test_members_that_do_not_fit_are_one_sentence(sources, small_dataset):
    first, second = sources
    with pytest.raises(MienError, match=r"needs two or more members\. Got 1"):
        build_ensemble([first], small_dataset)
    with pytest.raises(MienError, match="Unknown averaging 'logit': did you mean 'logits'"):
        build_ensemble(sources, small_dataset, "logit")
    with pytest.raises(MienError, match="Unknown weighting 'fitt': did you mean 'fit'"):
        build_ensemble(sources, small_dataset, weighting="fitt")
    heads = (first.recipe.heads[0].model_copy(update={"labels": "four"}),)
    with pytest.raises(MienError, match=r"an output of one label set in common\. Got .*chen four"):
        build_ensemble([first, changed(second, heads=heads)], small_dataset)
    size = second.recipe.preprocess.model_copy(update={"size": 64})
    with pytest.raises(MienError, match=r"faces of one size: small 48x48 .* chen with 64x64"):
        build_ensemble([first, changed(second, preprocess=size)], small_dataset)
    with pytest.raises(MienError, match="small was trained on other data or splits"):
        build_ensemble(sources, small_dataset.select(np.arange(80)))


def test_votes_are_no_part_of_which_faces_members_saw(anew, bare, small_dataset):
    sources = [open_source(str(anew.folder))] * 2
    part = sources[0].recipe.data
    one, two = (build_ensemble(sources, assemble(part, [d])) for d in (bare, small_dataset))
    assert one.reports == two.reports


def test_members_that_learnt_from_votes_ask_for_them(sources, small_model, bare):
    with pytest.raises(RecipeError, match=r"'ferplus8' learns from votes, .*: give --votes"):
        build_ensemble(sources, bare)
    files = [open_source(str(small_model))] * 2  # which tell no fingerprint without votes
    with pytest.raises(
        MienError, match=r"small was trained on .*, or on these with votes: .* give"
    ):
        build_ensemble(files, bare)


def test_tables_of_other_faces_are_not_averaged(small_run, small_dataset):
    (table, _) = predict(small_run.module(), small_dataset)
    other = table.select(np.arange(len(table))[::-1])
    with pytest.raises(MienError, match="same faces and expressions to be averaged"):
        average_tables([table, other])
