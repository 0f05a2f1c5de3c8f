"""What a card's page says to other programs is what mien itself does."""

from __future__ import annotations

import re
import shutil

import PIL.Image
import pytest

from mien.export.model_card import model_card_page
from mien.inference.analyzer import Analyzer
from mien.inference.pictures import read_picture
from mien.inference.zoo import model_path, read_card, shipped_models


@pytest.mark.parametrize(
    ("name", "cut"), [*((name, 0) for name in shipped_models()), ("mien-tiny", 150)]
)
def test_the_lines_of_the_page_read_what_mien_reads(
    portrait, tmp_path, monkeypatch, capsys, name, cut
):
    monkeypatch.chdir(tmp_path)
    shutil.copy(model_path(name), tmp_path)
    picture = read_picture(portrait)[:, cut:]  # cut, the square goes beyond the edge
    PIL.Image.fromarray(picture).save("photo.png")
    (reading,) = Analyzer(name).analyze(picture)
    box = reading.face.box
    corners = (box.x, box.y, box.width, box.height)
    given = dict(zip(("x", "y", "width", "height"), map(int, corners), strict=True))
    assert tuple(given.values()) == corners
    (lines,) = re.findall(
        r"```python\n(.*?)```", model_card_page(read_card(model_path(name))), re.S
    )
    exec(lines, given)
    assert given["faces"].dtype == "float32"
    shares = (given["powers"] / given["powers"].sum()).tolist()
    assert given["head"]["expressions"] == list(reading.labels.expressions)
    assert shares == pytest.approx(list(reading.probabilities), abs=1e-5)
    assert f"{reading.expression} {round(reading.confidence, 3)}\n" in capsys.readouterr().out


def test_the_page_has_the_models_own_numbers(small_model):
    card = read_card(small_model)
    see = card.preprocess.model_copy(update={"size": 96, "mean": 100.0, "std": 50.5})
    page = model_card_page(card.model_copy(update={"preprocess": see, "name": "mine"}))
    assert "float32 (N, 1, 96, 96): grey pixels of faces, 0 to 255, less\n  100 and" in page
    assert "and divided by 50.5.\n" in page
    assert 'InferenceSession("mine.onnx")' in page
    assert "`agreement` and `not_a_face` are logits (N, 1), each for a sigmoid." in page
    assert "sigmoid" not in model_card_page(card.model_copy(update={"signals": ()}))
