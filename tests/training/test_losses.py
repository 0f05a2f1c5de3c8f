import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from mien.recipe import AugmentationPart, HeadPart
from mien.training.batches import Batch
from mien.training.losses import ShareLoss, balanced_weights
from mien.training.mixing import mix

LOGITS = torch.tensor([[0.0, 0.0], [2.0, 0.0], [5.0, 1.0]])
SHARES = torch.tensor([[1.0, 0.0], [0.25, 0.75], [0.0, 0.0]])


def head(**options):
    return HeadPart(labels="basic7", **options)


def test_cross_entropy_is_the_hand_computed_one():
    first = np.log(2)
    second = 0.25 * np.log1p(np.exp(-2)) + 0.75 * np.log1p(np.exp(2))
    loss = ShareLoss(head())
    assert float(loss(LOGITS, SHARES)) == pytest.approx((first + second) / 2, rel=1e-5)
    assert float(loss(LOGITS, SHARES * 0)) == 0
    # A row of which only a quarter is known counts a quarter.
    part = torch.tensor([[1.0, 0.0], [0.0, 0.25], [0.0, 0.0]])
    second = np.log1p(np.exp(2))
    assert float(loss(LOGITS, part)) == pytest.approx((first + second / 4) / 1.25, rel=1e-5)
    smoothed = ShareLoss(head(smoothing=0.1))
    assert float(smoothed(LOGITS[1:2], part[1:2])) == pytest.approx(
        float(smoothed(LOGITS[1:2], part[1:2] * 4)), rel=1e-5
    )


@given(st.floats(0, 0.9), st.integers(0, 1000))
def test_cross_entropy_with_smoothing_is_pytorchs(smoothing, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(5, 4, generator=generator)
    shares = torch.rand(5, 4, generator=generator).softmax(1)
    wanted = functional.cross_entropy(logits, shares, label_smoothing=smoothing)
    found = ShareLoss(head(smoothing=smoothing))(logits, shares)
    assert float(found) == pytest.approx(float(wanted), rel=1e-4)


def test_focal_loss_is_the_hand_computed_one():
    p = 1 / (1 + np.exp(-2))
    wanted = (1 - p) ** 2 * -np.log(p)
    loss = ShareLoss(head(loss="focal", gamma=2.0))
    found = loss(torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 0.0]]))
    assert float(found) == pytest.approx(wanted, rel=1e-5)
    plain = ShareLoss(head(loss="focal", gamma=0.0))(LOGITS, SHARES)
    assert float(plain) == pytest.approx(float(ShareLoss(head())(LOGITS, SHARES)))


def test_balanced_weights_make_every_class_count_the_same():
    shares = np.eye(3, dtype=np.float32)[[0, 0, 0, 0, 0, 0, 1, 1, 1]]
    weights = balanced_weights(shares)
    assert weights.tolist() == pytest.approx([0.75, 1.5, 0.0])
    assert (shares * weights).sum() == pytest.approx(len(shares))
    loss = ShareLoss(head(class_weights="balanced"), weights)
    logits = torch.zeros(1, 3)
    assert float(loss(logits, torch.eye(3)[:1])) == pytest.approx(0.75 * np.log(3))
    assert "class_weights" not in loss.state_dict()


def batch():
    shares = torch.cat([torch.eye(4), torch.zeros(1, 4)])
    images = torch.arange(5.0)[:, None, None, None].expand(5, 1, 8, 8).clone()
    return Batch(images, {"four": shares}, {"four": torch.tensor([0, 1, 2, 3, -1])}, {})


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
@given(st.integers(0, 10_000))
def test_targets_are_mixed_as_the_images_are(kind, seed):
    torch.manual_seed(seed)
    mixed = mix(batch(), AugmentationPart(**{kind: 1.0}))
    for brightness, share in zip(mixed.images.mean((1, 2, 3)), mixed.shares["four"]):
        # An image is as bright as the number of its class; the last has none, and is a 4.
        without = 1 - share.sum()
        wanted = (share * torch.arange(4)).sum() + 4 * without
        assert float(brightness) == pytest.approx(float(wanted), abs=1e-4)


def test_without_a_strength_nothing_is_mixed():
    given_batch = batch()
    assert mix(given_batch, AugmentationPart()) is given_batch
    torch.manual_seed(3)
    one = mix(batch(), AugmentationPart(mixup=0.4))
    torch.manual_seed(3)
    assert torch.equal(one.images, mix(batch(), AugmentationPart(mixup=0.4)).images)


def test_a_mixture_shows_a_face_if_one_of_the_two_does():
    shown = torch.tensor([True, True, False, False, False])
    places = torch.arange(5.0)
    for seed in range(10):
        torch.manual_seed(seed)
        given = batch()._replace(shown=shown)
        mixed = mix(given, AugmentationPart(mixup=1.0))
        alone = (mixed.images.mean((1, 2, 3)) - places).abs() < 1e-6
        assert mixed.shown[:2].all()
        assert torch.equal(mixed.shown[alone], shown[alone])
    assert mix(batch(), AugmentationPart(mixup=1.0)).shown is None


def test_a_mixture_with_a_face_without_truth_counts_by_the_others_part():
    """What is nearly all texture is not taught to be the face that shines through."""
    for seed in range(20):
        torch.manual_seed(seed)
        mixed = mix(batch(), AugmentationPart(mixup=1.0))
        brightness, shares = mixed.images.mean((1, 2, 3)), mixed.shares["four"]
        partner = int(shares[4].argmax())
        part = (4 - brightness[4]) / (4 - partner) if shares[4].any() else torch.tensor(0.0)
        assert torch.allclose(shares[4].sum(), part, atol=1e-4)
