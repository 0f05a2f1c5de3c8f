from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import MienError
from mien.inference.detectors import Framing, distinct
from mien.inference.face import Box, Face, Reading, Verdict, by_size
from mien.labels import LABEL_SETS, label_set
from mien.preprocess import Square

EIGHT = label_set("ferplus8")
edge = st.floats(-500, 500)
length = st.floats(0.5, 500)
boxes = st.builds(Box, edge, edge, length, length)


def face(x=10.0, y=20.0, width=30.0, height=40.0, score=1.0):
    return Face(Box(x, y, width, height), score, Square(x=x, y=y, side=width))


def reading(*probabilities, labels=EIGHT, source="a.jpg"):
    return Reading(source, 0, face(), labels, probabilities)


@pytest.mark.parametrize("values", [(0, 0, 0, 5), (0, 0, 5, -1), (math.nan, 0, 5, 5)])
def test_a_box_must_be_finite_and_have_an_area(values):
    with pytest.raises(MienError, match="positive width"):
        Box(*values)


def test_a_score_must_be_finite():
    with pytest.raises(MienError, match="finite"):
        face(score=math.inf)


@pytest.mark.parametrize(
    ("probabilities", "complaint"),
    [
        ((0.5, 0.5), "must have 8 probabilities. Got 2"),
        ((0.2,) * 8, "sum to 1"),
        ((1.1, -0.1, 0, 0, 0, 0, 0, 0), "lie in 0 to 1"),
        ((math.nan, 1, 0, 0, 0, 0, 0, 0), "lie in 0 to 1"),
    ],
)
def test_a_reading_is_checked_when_it_is_made(probabilities, complaint):
    with pytest.raises(MienError, match=complaint):
        reading(*probabilities)


def test_the_expression_is_the_most_probable_and_the_first_of_equals():
    found = reading(0.1, 0, 0.35, 0.35, 0.2, 0, 0, 0)
    assert (found.expression, found.confidence) == ("disgust", 0.35)


def test_a_reading_as_a_dict_is_plain_json():
    found = reading(0, 0, 0, 0, 0.75, 0.25, 0, 0).as_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["source"] == "a.jpg"
    assert found["probabilities"]["happiness"] == 0.75
    assert found["box"] == {"x": 10, "y": 20, "width": 30, "height": 40}
    assert found["detector_score"] == 1.0


def test_relabelling_keeps_the_ratios():
    found = reading(0.1, 0.5, 0, 0, 0.3, 0.05, 0.05, 0).relabelled(label_set("four"))
    assert found.labels.name == "four"
    assert found.probabilities == pytest.approx((0.2, 0.6, 0.1, 0.1))
    assert found.expression == "happiness"


def test_who_is_sure_of_an_expression_that_is_left_out_is_sure_of_none():
    surprise = reading(0.005, 0.01, 0.01, 0.005, 0.97, 0, 0, 0)
    assert surprise.verdict.outcome == "sure"
    left_out = next(e for e, p in zip(EIGHT.expressions, surprise.probabilities) if p == 0.97)
    kept = [name for name in EIGHT.expressions if name != left_out]
    narrow = surprise.relabelled(label_set("+".join(kept)))
    assert narrow.answer == narrow.verdict.outcome == "uncertain"
    wide = surprise.relabelled(label_set("+".join([left_out, kept[0]])))
    assert wide.answer == left_out
    doubtful = dataclasses.replace(surprise, verdict=Verdict("not a face"))
    assert doubtful.relabelled(label_set("+".join(kept))).answer == "not a face"


def test_relabelling_to_an_expression_the_model_lacks_is_an_error():
    basic = label_set("basic7")
    with pytest.raises(MienError, match="'basic7' has no 'contempt'"):
        reading(1, 0, 0, 0, 0, 0, 0, labels=basic).relabelled(EIGHT)


def test_relabelling_where_nothing_is_left_is_an_error_and_not_a_guess():
    with pytest.raises(MienError, match=r"a\.jpg cannot be read in label set 'four'"):
        reading(0, 1, 0, 0, 0, 0, 0, 0).relabelled(label_set("four"))


@given(
    st.lists(st.floats(1e-300, 1), min_size=8, max_size=8),
    st.sampled_from(sorted(LABEL_SETS)),
)
def test_relabelled_probabilities_sum_to_one_and_keep_their_order(weights, name):
    found = reading(*(w / math.fsum(weights) for w in weights))
    kept = found.relabelled(label_set(name))
    assert math.isclose(math.fsum(kept.probabilities), 1)
    indices = label_set(name).positions_in(EIGHT)
    before = [found.probabilities[i] for i in indices]
    # Of two that differ in the last digit, division may make equals.
    chosen = label_set(name).expressions.index(kept.expression)
    assert math.isclose(before[chosen], max(before))


def test_even_denormal_probabilities_keep_their_ratio():
    found = reading(3e-322, 1.0, 0, 0, 1e-322, 0, 0, 0).relabelled(label_set("four"))
    assert found.probabilities == pytest.approx((0.75, 0.25, 0, 0), abs=0.02)


def test_faces_are_ordered_by_size_then_from_left():
    small, left, right = face(width=5), face(x=1), face(x=100)
    assert by_size([right, small, left]) == [left, right, small]


@given(boxes, boxes)
def test_overlap_is_symmetric_and_never_more_than_the_smaller(one, other):
    shared = one.overlap(other)
    assert shared == other.overlap(one)
    assert 0 <= shared <= min(one.area, other.area) * (1 + 1e-9) + 1e-9


@given(boxes, st.integers(1, 300), st.integers(1, 300))
def test_a_clipped_box_lies_in_the_picture(box, width, height):
    inside = box.clipped(width, height)
    if inside is None:
        assert box.overlap(Box(0, 0, width, height)) == 0
    else:
        assert inside.x >= 0
        assert inside.y >= 0
        assert inside.x + inside.width <= width + 1e-9
        assert inside.y + inside.height <= height + 1e-9


@given(boxes, st.floats(0.5, 2), st.floats(-0.5, 0.5))
def test_framing_widens_and_moves_around_the_centre(box, scale, shift):
    square = Framing(scale, shift).square(box)
    assert math.isclose(square.side, scale * box.width)
    assert math.isclose(square.x + square.side / 2, box.x + box.width / 2, abs_tol=1e-6)
    centre = box.y + box.height / 2 + shift * box.width
    assert math.isclose(square.y + square.side / 2, centre, abs_tol=1e-6)


def test_one_detection_is_kept_of_overlapping_and_nested_boxes():
    best = face(100, 100, 80, 80, score=9)
    shifted = face(110, 105, 80, 80, score=8)
    nested = face(120, 120, 20, 20, score=3)
    around = face(50, 50, 200, 200, score=5)
    other = face(300, 100, 80, 80, score=1)
    assert distinct([nested, shifted, other, best, around]) == [best, other]


def test_neighbours_that_touch_are_two_faces():
    one, other = face(0, 0, 50, 50), face(45, 0, 50, 50)
    assert len(distinct([one, other])) == 2


@given(st.lists(st.builds(face, edge, edge, length, length, st.floats(0, 9)), max_size=8))
def test_distinct_does_not_depend_on_the_order(found):
    assert distinct(found) == distinct(found[::-1]) or len({f.score for f in found}) < len(found)
