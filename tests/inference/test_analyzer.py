from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mien.errors import ImageError, MienError, ModelError
from mien.inference.analyzer import Analyzer
from mien.inference.face import Box, Face
from mien.inference.pictures import read_picture
from mien.labels import label_set
from mien.preprocess import Square


@pytest.fixture(scope="module")
def analyzer(tiny_model):
    return Analyzer(tiny_model)


def test_a_file_and_its_pixels_read_the_same(analyzer, portrait, portrait_pixels):
    (from_file,) = analyzer.analyze(portrait)
    (from_array,) = analyzer.analyze(portrait_pixels)
    assert from_file.source == str(portrait)
    assert from_array.source is None
    assert from_file.probabilities == from_array.probabilities
    assert from_file.labels == label_set("ferplus8")
    assert analyzer.analyze(str(portrait)) == [from_file]


def test_an_array_may_be_given_a_source(analyzer, portrait_pixels):
    assert analyzer.analyze(portrait_pixels, source="frame 3")[0].source == "frame 3"


def test_the_reading_is_the_classifiers_of_the_framed_crop(analyzer, portrait_pixels):
    (found,) = analyzer.analyze(portrait_pixels)
    crop = analyzer.classifier.card.preprocess.crop(portrait_pixels, found.face.square)
    assert found.probabilities == tuple(analyzer.classifier.classify(crop[None])[0].tolist())


def test_grey_and_transparent_arrays_are_read(analyzer, portrait_pixels):
    opaque = np.dstack([portrait_pixels, np.full(portrait_pixels.shape[:2], 255, np.uint8)])
    assert len(analyzer.analyze(opaque)) == 1
    assert len(analyzer.analyze(np.ascontiguousarray(portrait_pixels[..., 1]))) == 1


def test_no_face_is_an_empty_list(analyzer):
    assert analyzer.analyze(np.full((1, 1, 3), 200, np.uint8)) == []
    assert analyzer.analyze(np.full((200, 300), 200, np.uint8)) == []


@pytest.mark.parametrize("name", ["basic7", "four"])
def test_labels_renormalise(tiny_model, analyzer, portrait_pixels, name):
    (full,) = analyzer.analyze(portrait_pixels)
    (found,) = Analyzer(tiny_model, labels=name).analyze(portrait_pixels)
    assert found.labels == label_set(name)
    assert found == full.relabelled(label_set(name))


def test_faces_beyond_the_edges_are_read(analyzer, portrait_pixels):
    squares = [(-90, -90, 120), (500, 590, 300), (-4000, 0, 50), (0, 0, 9000), (10, 10, 0.2)]
    faces = [Face(Box(1, 1, 9, 9), 1.0, Square(x=x, y=y, side=s)) for x, y, s in squares]
    found = analyzer.classify(portrait_pixels, faces)
    assert [reading.index for reading in found] == [0, 1, 2, 3, 4]


def test_threads_may_share_an_analyzer(analyzer, portrait_pixels):
    pictures = [np.ascontiguousarray(portrait_pixels[: 600 - 8 * n]) for n in range(12)]
    alone = [analyzer.analyze(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(analyzer.analyze, pictures)) == alone


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"labels": "basic8"}, "Unknown label set 'basic8': did you mean 'basic7'"),
        ({"detector": "yunett"}, "Unknown detector 'yunett': did you mean 'yunet'"),
        ({"model": "no-such-model"}, "Unknown model 'no-such-model'"),
        ({"model": "no/such/model"}, "no/such/model does not exist"),
    ],
)
def test_unknown_names(tiny_model, options, complaint):
    with pytest.raises(MienError, match=complaint):
        Analyzer(**{"model": tiny_model, **options})


def test_pictures_that_are_none(analyzer, tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        analyzer.analyze(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="Got float64 instead"):
        analyzer.analyze(np.zeros((9, 9, 3)))


def test_settings_name_what_readings_depend_on(tiny_model, analyzer):
    from mien.files import sha256

    assert analyzer.settings.model_sha256 == sha256(tiny_model)
    four = Analyzer(tiny_model, labels="four").settings
    assert (analyzer.settings.labels, four.labels) == ("ferplus8", "four")
    assert four.expressions == label_set("four").expressions


def test_weights_are_a_path_or_text(tiny_model):
    for weights in ("none.onnx", Path("none.onnx")):
        with pytest.raises(ModelError, match=r"none\.onnx cannot be read"):
            Analyzer(tiny_model, "yunet", detector_weights=weights)


@pytest.mark.data
def test_readings_of_a_group_come_largest_first(tiny_model, shared_media, weights_for):
    analyzer = Analyzer(tiny_model, "yunet", detector_weights=weights_for("yunet"))
    picture = read_picture(shared_media / "multi_face.jpg")
    found = analyzer.analyze(picture)
    assert [reading.index for reading in found] == [0, 1, 2, 3, 4]
    areas = [reading.face.box.area for reading in found]
    assert areas == sorted(areas, reverse=True)
    crops = [analyzer.classifier.card.preprocess.crop(picture, r.face.square) for r in found]
    together = analyzer.classifier.classify(np.stack(crops))
    assert np.allclose(together, [r.probabilities for r in found])
