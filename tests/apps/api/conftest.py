from __future__ import annotations

from pathlib import Path

import pytest

from apps.api.clip import write_clip
from apps.api.running import Running
from mien.inference.analyzer import Analyzer

WEIGHTS = "face_detection_yunet_2026may.onnx"


@pytest.fixture(scope="session")
def server():
    """A server with the usual settings; tests that change it make their own."""
    with Running() as running:
        yield running


@pytest.fixture(scope="session")
def offline():
    """What the server's answers are compared with."""
    return Analyzer()


@pytest.fixture(scope="session")
def face(portrait) -> bytes:
    """The portrait's file."""
    return portrait.read_bytes()


@pytest.fixture(scope="session")
def weights(shared_models) -> Path:
    return shared_models / WEIGHTS


@pytest.fixture(scope="session")
def clip(tmp_path_factory, portrait) -> Path:
    """The portrait as a video of a second that zooms in a little."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", portrait, frames=20)


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory, portrait) -> Path:
    """The portrait as a video of a minute, which takes seconds to read."""
    return write_clip(tmp_path_factory.mktemp("clip") / "long.mp4", portrait, frames=1200)
