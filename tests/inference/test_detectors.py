"""What every registered detector must do, and what each of them finds in the test media."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.errors import MienError, ModelError
from mien.inference.detectors import DETECTORS, shrunk
from mien.inference.face import Box
from mien.inference.pictures import read_picture

GROUP = [(735, 357), (580, 371), (362, 297), (264, 118), (475, 267)]
"""Middles of the five faces in multi_face.jpg, x and y in pixels; looked up by eye."""

PORTRAIT_FACE = (266, 220)


@pytest.fixture(params=sorted(DETECTORS))
def detector(request, weights_for):
    return DETECTORS[request.param](weights_for(request.param))


def holds(box: Box, point):
    x, y = point
    return box.x < x < box.x + box.width and box.y < y < box.y + box.height


def shares(faces, picture):
    """Boxes in shares of the picture's sides."""
    height, width = picture.shape[:2]
    scale = np.array([width, height, width, height])
    return np.array([[f.box.x, f.box.y, f.box.width, f.box.height] for f in faces]) / scale


def test_both_detectors_are_registered():
    assert {"haar", "yunet"} <= set(DETECTORS)


def test_an_unknown_detector_names_the_nearest():
    with pytest.raises(MienError, match=r"Unknown detector 'harr': did you mean 'haar'\?"):
        DETECTORS["harr"]


def test_the_portrait_has_one_face(detector, portrait_pixels):
    (face,) = detector.detect(portrait_pixels)
    assert holds(face.box, PORTRAIT_FACE)
    square = face.square
    assert holds(Box(square.x, square.y, square.side, square.side), PORTRAIT_FACE)
    assert 170 < square.side < 290


def test_a_grey_picture_gives_about_the_same_face(detector, portrait_pixels):
    (colour,) = detector.detect(portrait_pixels)
    (grey,) = detector.detect(cv2.cvtColor(portrait_pixels, cv2.COLOR_RGB2GRAY))
    assert grey.box.overlap(colour.box) > 0.8 * colour.box.area


@pytest.mark.parametrize("factor", [0.5, 3.0, 8.0])
def test_a_face_is_found_at_any_size_of_picture(detector, portrait_pixels, factor):
    resized = cv2.resize(portrait_pixels, None, fx=factor, fy=factor)
    usual = shares(detector.detect(portrait_pixels), portrait_pixels)
    found = shares(detector.detect(resized), resized)
    assert found == pytest.approx(usual, abs=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 4000), (15, 15), (20, 3000), (64, 48)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_pictures_of_any_size_without_a_face(detector, shape, channels):
    assert detector.detect(np.full((*shape, *channels), 90, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 640), (15, 640), (32, 640), (640, 1), (640, 20), (32, 32)])
@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_a_thin_picture_shows_no_face_that_was_left_in_memory(
    name, weights_for, portrait_pixels, shape
):
    weights = weights_for(name)
    plain = np.full((*shape, 3), 90, np.uint8)
    for count in range(1, 13):
        detector = DETECTORS[name](weights)
        left = [portrait_pixels.copy() for _ in range(count % 5 + 1)]
        del left
        assert detector.detect(plain) == []


def test_noise_and_gradients_have_no_face(detector):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    gradient = np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1))
    assert detector.detect(noise) == []
    assert detector.detect(gradient) == []


def test_the_picture_is_not_changed(detector, portrait_pixels):
    before = portrait_pixels.copy()
    before.flags.writeable = False
    detector.detect(before)
    assert np.array_equal(before, portrait_pixels)


def test_faces_at_the_edge_have_boxes_inside(detector, portrait_pixels):
    for cut in (portrait_pixels[90:, :], portrait_pixels[:, 150:], portrait_pixels[:330, :360]):
        for face in detector.detect(np.ascontiguousarray(cut)):
            assert face.box.x >= 0
            assert face.box.y >= 0
            assert face.box.x + face.box.width <= cut.shape[1] + 1e-6
            assert face.box.y + face.box.height <= cut.shape[0] + 1e-6


def test_threads_may_share_a_detector(detector, portrait_pixels):
    pictures = [np.roll(portrait_pixels, 7 * n, axis=1)[: 600 - 9 * n] for n in range(8)]
    alone = [detector.detect(np.ascontiguousarray(p)) for p in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, map(np.ascontiguousarray, pictures)))
    assert together == alone


@pytest.mark.parametrize("name", sorted(DETECTORS))
@pytest.mark.parametrize("content", [b"", b"text\n" * 99, b"\x89PNG\r\n\x1a\n" + bytes(500)])
def test_weights_that_are_something_else(tmp_path, name, content):
    (tmp_path / "other.bin").write_bytes(content)
    with pytest.raises(ModelError, match=r"other\.bin (is not a cascade|does not hold)"):
        DETECTORS[name](tmp_path / "other.bin")


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_weights_that_are_missing_or_a_folder(tmp_path, name):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ModelError, match=str(path)):
            DETECTORS[name](path)


def test_another_network_is_not_taken_for_yunet(tiny_model):
    with pytest.raises(ModelError, match="does not hold the weights of YuNet"):
        DETECTORS["yunet"](tiny_model)


def test_truncated_weights_of_yunet(tmp_path, weights_for):
    content = weights_for("yunet").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="does not hold the weights of YuNet"):
        DETECTORS["yunet"](tmp_path / "cut.onnx")


def test_other_cascades_of_opencv_are_taken(portrait_pixels):
    cascade = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
    faces = DETECTORS["haar"](cascade).detect(portrait_pixels)
    assert any(holds(face.box, PORTRAIT_FACE) for face in faces)


def test_shrinking_never_enlarges_and_gives_the_way_back():
    picture = np.zeros((300, 900, 3), np.uint8)
    small, factor = shrunk(picture, 300)
    assert (small.shape, factor) == ((100, 300, 3), 3.0)
    same, factor = shrunk(picture, 900)
    assert same is picture
    assert factor == 1.0


@pytest.mark.data
@pytest.mark.parametrize(("name", "least"), [("haar", 4), ("yunet", 5)])
def test_faces_of_the_group_and_nothing_else(shared_media, weights_for, name, least):
    faces = DETECTORS[name](weights_for(name)).detect(read_picture(shared_media / "multi_face.jpg"))
    owners = [[point for point in GROUP if holds(face.box, point)] for face in faces]
    assert all(len(points) == 1 for points in owners)
    assert len({points[0] for points in owners}) == len(faces) >= least


@pytest.mark.data
def test_one_face_in_the_single_portrait(detector, shared_media):
    assert len(detector.detect(read_picture(shared_media / "single_face.jpg"))) == 1


@pytest.mark.data
def test_nothing_is_found_where_there_is_no_face(detector, shared_media):
    video = cv2.VideoCapture(str(shared_media / "no_face.mp4"))
    frames = 0
    while True:
        more, frame = video.read()
        if not more:
            break
        frames += 1
        if frames % 4 == 0:
            assert detector.detect(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)) == []
    assert frames > 90
