"""What the analyzer takes, and what it says of what it does not."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from mien.errors import ImageError, MienError, ModelError
from mien.inference.analyzer import Analyzer
from mien.inference.pictures import ORIENTATION


@pytest.fixture(scope="module")
def analyzer(tiny_model):
    return Analyzer(tiny_model)


def test_a_picture_may_be_given_in_any_form(analyzer, portrait):
    (wanted,) = analyzer.analyze(portrait)
    assert wanted.source == str(portrait)
    content = portrait.read_bytes()
    with portrait.open("rb") as file, PIL.Image.open(portrait) as image:
        for given in (content, io.BytesIO(content), file, image):
            (found,) = analyzer.analyze(given)
            assert found.source is None
            assert (found.face, found.probabilities) == (wanted.face, wanted.probabilities)
    assert analyzer.analyze(content, source="mine")[0].source == "mine"


def test_pillows_image_is_turned_as_its_file_is(analyzer, portrait, tmp_path):
    with PIL.Image.open(portrait) as image:
        exif = image.getexif()
        exif[ORIENTATION] = 6
        turned = image.convert("RGB").transpose(PIL.Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "a.png", exif=exif)
    with PIL.Image.open(tmp_path / "a.png") as image:
        (found,) = analyzer.analyze(image)
    (wanted,) = analyzer.analyze(portrait)
    assert (found.face, found.probabilities) == (wanted.face, wanted.probabilities)


def test_several_pictures_are_read_as_one_by_one(analyzer, portrait, portrait_pixels):
    nothing = np.full((50, 60), 200, np.uint8)
    given = [portrait, nothing, portrait_pixels[:, ::-1], portrait.read_bytes()]
    found = analyzer.analyze_many(iter(given))
    wanted = [analyzer.analyze(picture) for picture in given]
    assert [len(readings) for readings in found] == [1, 0, 1, 1]
    for own, alone in zip(found, wanted):
        for reading, other in zip(own, alone, strict=True):
            assert (reading.source, reading.index, reading.face) == (
                *(other.source, other.index, other.face),
            )
            assert reading.probabilities == pytest.approx(other.probabilities, abs=1e-5)
    assert found[0][0].source == str(portrait)
    assert analyzer.analyze_many([]) == []
    with pytest.raises(ImageError, match="does not exist"):
        analyzer.analyze_many([portrait, "none.jpg"])


def test_several_pictures_are_read_in_some_expressions(tiny_model, portrait):
    four = Analyzer(tiny_model, labels="four")
    ((found,),) = four.analyze_many([portrait])
    (wanted,) = four.analyze(portrait)
    assert found.labels == wanted.labels
    assert found.probabilities == pytest.approx(wanted.probabilities, abs=1e-5)


@pytest.mark.parametrize("ask", ["read", "faces"])
def test_fractions_are_no_pixels(analyzer, portrait_pixels, ask):
    with pytest.raises(ImageError, match=r"Got float64 instead\. Values from 0 to 1 are scaled by"):
        getattr(analyzer, ask)(portrait_pixels / 255)


def test_what_is_no_model_and_no_label_set(tiny_model):
    with pytest.raises(ModelError, match=r"path of an ONNX file\. Got NoneType instead\."):
        Analyzer(None)
    with pytest.raises(MienError, match=r"joined as in 'happiness\+sadness'\. Got list instead"):
        Analyzer(tiny_model, labels=["happiness", "sadness"])
