from __future__ import annotations

import numpy as np
import pytest
from clips import Scene, sprite, write_clip

from mien.inference.analyzer import Analyzer
from mien.inference.detectors import DETECTORS
from mien.inference.video.finder import Search
from mien.inference.video.run import VideoReader


@pytest.fixture(scope="session")
def head(portrait_pixels):
    """The portrait's head, with its face's box as Haar sees it."""
    return sprite(portrait_pixels, DETECTORS["haar"](None).detect(portrait_pixels)[0])


@pytest.fixture(scope="session")
def moving(head):
    """A scene of a face that walks from left to right, 320x240."""
    small = head.scaled(70)
    return Scene([(small, lambda time: (60 + 90 * time, 120))], size=(320, 240))


@pytest.fixture(scope="session")
def pictures(moving):
    """Its first 50 frames."""
    return [moving.draw(number / 25)[0] for number in range(50)]


@pytest.fixture(scope="session")
def clip_path(pictures, tmp_path_factory):
    """They as an MP4 with sound, 25 frames a second."""
    return write_clip(tmp_path_factory.mktemp("clip") / "walk.mp4", pictures, sound="aac")


@pytest.fixture(scope="session")
def analyzer(tiny_model):
    return Analyzer(tiny_model, threads=1)


@pytest.fixture(scope="session")
def reader(analyzer):
    return VideoReader(analyzer, search=Search(thorough=0.5))


@pytest.fixture(scope="session")
def numbered():
    """Frames that tell their number by their brightness, without a face, 64x48."""
    return [np.full((48, 64, 3), 20 + 4 * number, np.uint8) for number in range(50)]
