from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import ImageError, MienError
from mien.inference.face import Box, Face, Reading
from mien.inference.plots import probability_plot
from mien.inference.render import COLOURS, Rectangle, Style, annotate, label_place
from mien.labels import EXPRESSIONS, label_set
from mien.preprocess import Square

sides = st.integers(1, 400)


def reading(box, top="happiness", source=None):
    labels = label_set("ferplus8")
    probabilities = tuple(0.65 if e == top else 0.05 for e in labels.expressions)
    square = Square(x=box.x, y=box.y, side=box.width)
    return Reading(source, 0, Face(box, 1.0, square), labels, probabilities)


@st.composite
def faces_in_pictures(draw):
    """A picture's width and height, and a box inside it."""
    width, height = draw(sides), draw(sides)
    x, y = draw(st.floats(0, width - 0.5)), draw(st.floats(0, height - 0.5))
    box = Box(x, y, draw(st.floats(0.1, width - x)), draw(st.floats(0.1, height - y)))
    return (width, height), box


def test_what_is_drawn_can_be_drawn_on():
    picture = np.zeros((60, 80, 3), np.uint8)
    picture.flags.writeable = False
    drawn = annotate(picture, [reading(Box(10, 10, 30, 30))])
    drawn[0, 0] = 7
    assert drawn.flags.c_contiguous


def test_every_expression_has_a_colour_of_its_own():
    assert set(COLOURS) == {*EXPRESSIONS, "uncertain", "not a face"}
    assert len(set(COLOURS.values())) == len(COLOURS)


@given(faces_in_pictures(), st.tuples(sides, sides))
def test_a_label_lies_inside_its_picture(case, size):
    (width, height), box = case
    place = label_place(box, size, (width, height))
    assert 0 <= place.left < place.right <= width
    assert 0 <= place.top < place.bottom <= height
    assert place.right - place.left == min(size[0], width)


def test_a_label_prefers_above_then_below_then_inside():
    picture, size = (200, 200), (50, 20)
    assert label_place(Box(60, 60, 50, 50), size, picture) == Rectangle(60, 40, 110, 60)
    assert label_place(Box(60, 5, 50, 50), size, picture) == Rectangle(60, 55, 110, 75)
    assert label_place(Box(60, 5, 50, 190), size, picture).top == 5


def test_a_label_makes_way_for_another_face():
    taken = [Rectangle(60, 60, 110, 110), Rectangle(60, 10, 110, 55)]
    place = label_place(Box(60, 60, 50, 50), (50, 20), (200, 200), taken)
    assert not any(place.overlaps(other) for other in taken)


@settings(deadline=None, max_examples=60)
@given(faces_in_pictures(), st.sampled_from(EXPRESSIONS))
def test_any_face_in_any_picture_can_be_drawn(case, top):
    (width, height), box = case
    picture = np.full((height, width, 3), 128, np.uint8)
    drawn = annotate(picture, [reading(box, top)])
    assert drawn.shape == picture.shape
    assert drawn.dtype == np.uint8
    assert (picture == 128).all()


def test_without_readings_it_is_a_copy(portrait_pixels):
    drawn = annotate(portrait_pixels, [])
    assert np.array_equal(drawn, portrait_pixels)
    assert not np.shares_memory(drawn, portrait_pixels)


def test_what_is_drawn_is_drawn_around_the_face_in_its_colour(portrait_pixels):
    box = Box(180, 120, 170, 210)
    drawn = annotate(portrait_pixels, [reading(box, "fear")])
    changed = (drawn != portrait_pixels).any(2)
    assert changed[130:320, 190:340].mean() == 0
    blue = (0x00, 0x72, 0xB2)
    assert (drawn[200:240, 178:184] == blue).all(2).any()
    assert (drawn[90:120, 180:200] == blue).all(2).any()


def test_bars_are_drawn_where_there_is_room_only(portrait_pixels):
    large, small = Box(180, 120, 170, 210), Box(180, 120, 20, 25)
    changed = [
        (annotate(portrait_pixels, [reading(box)]) != portrait_pixels).any(2)[:, 352:].mean()
        for box in (large, small)
    ]
    assert changed[0] > 0.05
    assert changed[1] == 0


def test_two_faces_side_by_side_keep_their_bars_apart():
    picture = np.full((500, 900, 3), 90, np.uint8)
    boxes = [Box(200, 150, 120, 160), Box(330, 150, 120, 160)]
    drawn = annotate(picture, [reading(box) for box in boxes])
    for box in boxes:
        inside = drawn[int(box.y) + 12 : int(box.y) + 148, int(box.x) + 12 : int(box.x) + 108]
        assert (inside == 90).all()


@pytest.mark.parametrize("side", [300, 1000, 6000])
def test_text_grows_with_the_picture(side):
    assert side / 60 < Style.of(side, side).text <= max(10, side / 40)


def test_grey_and_transparent_pictures_are_drawn_in_colour():
    found = reading(Box(20, 20, 40, 40))
    assert annotate(np.zeros((90, 90), np.uint8), [found]).shape == (90, 90, 3)
    assert annotate(np.zeros((90, 90, 4), np.uint8), [found]).shape == (90, 90, 3)
    with pytest.raises(ImageError):
        annotate(np.zeros((90, 90, 3)), [found])


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_a_plot_is_written_whole(tmp_path, portrait_pixels, suffix):
    path = tmp_path / f"plot{suffix}"
    probability_plot(portrait_pixels, [reading(Box(180, 120, 170, 210))], path)
    assert path.stat().st_size > 1000
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["plot", "plot.xyz"])
def test_a_plot_of_an_unknown_format_is_one_sentence(tmp_path, portrait_pixels, name):
    with pytest.raises(MienError, match=rf"{name} cannot be written: its name must end in \.png"):
        probability_plot(portrait_pixels, [reading(Box(180, 120, 170, 210))], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_plot_grows_with_the_faces_up_to_a_limit(tmp_path, portrait_pixels):
    def height(count):
        found = [reading(Box(180, 120, 170, 210))] * count
        probability_plot(portrait_pixels, found, tmp_path / "plot.png")
        return PIL.Image.open(tmp_path / "plot.png").height

    assert height(3) == 3 * height(1)
    assert height(14) == height(12)


def test_a_plot_of_a_face_at_the_edge(tmp_path, portrait_pixels):
    box = Box(490, 590, 22, 10)
    probability_plot(portrait_pixels, [reading(box)], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").exists()


def test_a_plot_without_faces_or_format_is_an_error(tmp_path, portrait_pixels):
    with pytest.raises(MienError, match="no face was found"):
        probability_plot(portrait_pixels, [], tmp_path / "plot.png")
    with pytest.raises(MienError, match=r"plot\.xyz cannot be written"):
        probability_plot(portrait_pixels, [reading(Box(1, 1, 9, 9))], tmp_path / "plot.xyz")
    assert list(tmp_path.iterdir()) == []


def test_drawing_uses_no_global_figures(tmp_path, portrait_pixels):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    probability_plot(portrait_pixels, [reading(Box(1, 1, 9, 9))], tmp_path / "plot.png")
    assert plt.get_fignums() == before
