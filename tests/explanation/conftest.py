from __future__ import annotations

import numpy as np
import pytest

from explanation.linear_models import SIDE, write_linear
from mien.explanation.output import Output
from mien.inference.classifier import Classifier


@pytest.fixture
def linear_output(tmp_path):
    """A function that makes an output from the weight of each pixel, by `write_linear`."""

    def make(weights, bias=0.0):
        return Output.of(Classifier(write_linear(tmp_path / "linear.onnx", weights, bias)))

    return make


@pytest.fixture
def crop():
    """A face that is noise, uint8 (48, 48)."""
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)


@pytest.fixture(scope="session")
def small_output(small_model):
    """The first output of the small trained model."""
    return Output.of(Classifier(small_model))


@pytest.fixture(scope="session")
def small_faces(small_dataset):
    """Test faces of the small dataset."""
    return small_dataset.in_split("test")
