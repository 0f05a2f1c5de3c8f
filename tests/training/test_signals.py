import dataclasses

import numpy as np
import pytest
import torch

from mien.errors import RecipeError
from mien.evaluation.predict import predict
from mien.inference.classifier import Classifier
from mien.recipe import AugmentationPart
from mien.training.batches import Batch
from mien.training.mixing import mix
from mien.training.no_face import KINDS, with_no_faces
from mien.training.signals import signal_loss, signal_targets

NAN = float("nan")


def batch(count=400):
    images = torch.rand(count, 1, 48, 48) * 255
    signals = {"agreement": torch.full((count,), 0.5), "not_a_face": torch.zeros(count)}
    shares = {"four": torch.eye(4).repeat(count // 4, 1)}
    return Batch(images, shares, {"four": torch.arange(count) % 4}, signals)


def test_the_loss_is_the_hand_computed_one_and_skips_what_is_unknown():
    logits = torch.tensor([[0.0], [2.0], [5.0]])
    targets = torch.tensor([0.3, 1.0, NAN])
    expected = (np.log(2) + np.log1p(np.exp(-2))) / 2
    assert float(signal_loss(logits, targets)) == pytest.approx(expected, rel=1e-5)
    assert float(signal_loss(logits, torch.full((3,), NAN))) == 0


def test_targets_need_votes(small_dataset):
    targets = signal_targets(small_dataset, "agreement")
    assert targets.dtype == np.float32
    assert ((targets >= 0) & (targets <= 1)).all()
    bare = dataclasses.replace(small_dataset, votes=None)
    with pytest.raises(RecipeError, match="'agreement' learns from votes, dataset 'fer2013' has"):
        signal_targets(bare, "agreement")


def test_a_share_of_the_images_shows_no_face_and_the_targets_say_so():
    torch.manual_seed(0)
    before = batch()
    after = with_no_faces(before, 0.25)
    gone = after.signals["not_a_face"] == 1
    assert 60 < int(gone.sum()) < 140
    assert after.signals["agreement"][gone].isnan().all()
    assert float(after.shares["four"][gone].sum()) == 0
    changed = (after.images != before.images).flatten(1).any(1)
    assert torch.equal(changed, gone)
    assert torch.equal(after.shown, ~gone)
    assert torch.equal(after.shares["four"][~gone], before.shares["four"][~gone])
    assert with_no_faces(before, 0) is before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_keeps_shape_and_range(kind):
    torch.manual_seed(1)
    images = torch.rand(5, 1, 50, 46) * 255
    found = kind(images)
    assert found.shape == images.shape
    assert float(found.min()) >= 0
    assert float(found.max()) <= 255


def test_signals_are_mixed_as_the_images_are():
    torch.manual_seed(2)
    given = batch(4)
    given.signals["agreement"][0] = NAN
    given.images[:] = torch.arange(4.0)[:, None, None, None]
    given.signals["not_a_face"][:] = torch.arange(4.0) / 4
    mixed = mix(given, AugmentationPart(mixup=1.0))
    brightness = mixed.images.mean((1, 2, 3))
    assert torch.allclose(mixed.signals["not_a_face"], brightness / 4)
    assert mixed.signals["agreement"].isnan().any()


def test_a_run_s_signals_reach_its_predictions_and_its_file(small_run, small_dataset, small_model):
    tables = predict(small_run.module(), small_dataset)
    assert set(tables[0].signals) == {"agreement", "not_a_face"}
    classifier = Classifier(small_model)
    assert classifier.card.signals == ("agreement", "not_a_face")
    judged = small_dataset.select(np.isin(small_dataset.splits, ["val", "test"]))
    said = classifier.judge(judged.images)
    for name, values in said.signals.items():
        np.testing.assert_allclose(values, tables[0].signals[name], atol=1e-4)
    np.testing.assert_array_equal(said.probabilities, classifier.classify(judged.images))
