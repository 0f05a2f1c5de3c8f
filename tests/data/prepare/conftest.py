"""Photographs and faces to prepare."""

import cv2
import numpy as np
import pytest

import makers
from makers import IMED_FRAME
from mien.inference.pictures import read_picture


@pytest.fixture(scope="session")
def portrait_pixels(portrait):
    return read_picture(portrait)


@pytest.fixture(scope="session")
def photos(tmp_path_factory, portrait_pixels):
    """A tree like IMED's: five photos with a face, one without, one broken, one no picture."""
    top = tmp_path_factory.mktemp("raw") / "IMED"
    for number, (subject, emotion) in enumerate(
        [
            ("S01", "senang"),
            ("S01", "sedih"),
            ("S02", "senang"),
            ("S02", "marah"),
            ("S02", "netral"),
        ]
    ):
        photo = makers.photograph(portrait_pixels, IMED_FRAME, 3 * number)
        makers.write_photo(top / subject / emotion / "1.jpg", photo)
    wall = cv2.copyMakeBorder(
        np.full((420, 640, 3), 140, np.uint8), 30, 30, 40, 40, cv2.BORDER_CONSTANT
    )
    makers.write_photo(top / "S01" / "marah" / "wall.jpg", wall)
    (top / "S01" / "marah" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (top / "S01" / "marah" / "notes.txt").write_text("no picture")
    return top


@pytest.fixture
def faces(tmp_path):
    """Forty small pictures that are faces already, in four classes."""
    for number in range(40):
        name = ("angry", "happy", "neutral", "sad")[number % 4]
        image = makers.drawn_face(number % 4, np.random.default_rng(number))
        makers.write_photo(tmp_path / "crops" / name / f"{number:02d}.png", image)
    return tmp_path / "crops"
