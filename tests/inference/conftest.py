from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import write_model

from mien.inference.pictures import read_picture

WEIGHTS = "face_detection_yunet_2026may.onnx"


@pytest.fixture(scope="session")
def portrait_pixels(portrait):
    """The portrait as uint8 (600, 512, 3)."""
    return read_picture(portrait)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture
def weights_for(request):
    """A function that gives the weights a detector needs in tests."""

    def weights(detector: str) -> Path | None:
        if detector != "yunet":
            return None
        return request.getfixturevalue("shared_models") / WEIGHTS

    return weights
