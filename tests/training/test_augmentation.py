import numpy as np
import pytest
import torch

from mien.recipe import AugmentationPart
from mien.training.augmentation import build_augmentation

EVERY = {
    "flip": 1.0,
    "rotation": 20.0,
    "shift": 0.1,
    "zoom": (0.8, 1.2),
    "shear": 10.0,
    "brightness": (0.7, 1.3),
    "contrast": (0.7, 1.3),
    "noise": 0.3,
    "erasing": 1.0,
}


def images():
    return torch.rand(6, 1, 48, 48, generator=torch.Generator().manual_seed(0))


def test_nothing_asked_changes_nothing():
    assert torch.equal(build_augmentation(AugmentationPart())(images()), images())


@pytest.mark.parametrize("change", EVERY)
def test_every_change_changes_and_stays_in_range(change):
    part = AugmentationPart.model_validate({change: EVERY[change]})
    torch.manual_seed(1)
    changed = build_augmentation(part)(images())
    assert changed.shape == (6, 1, 48, 48)
    assert all(not torch.equal(a, b) for a, b in zip(changed, images()))
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1


def test_the_seed_decides_and_images_differ():
    augment = build_augmentation(AugmentationPart.model_validate(EVERY))
    same = images()[:1].expand(6, -1, -1, -1).clone()
    torch.manual_seed(3)
    first = augment(same)
    torch.manual_seed(3)
    np.testing.assert_array_equal(first, augment(same))
    assert not torch.equal(first[0], first[1])


def test_flip_mirrors_left_and_right():
    flipped = build_augmentation(AugmentationPart(flip=1.0))(images())
    assert torch.equal(flipped, images().flip(3))
