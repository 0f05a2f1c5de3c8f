from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from clips import Scene, idf1, sprite
from hypothesis import given
from hypothesis import strategies as st

from mien.inference.detectors import DETECTORS
from mien.inference.face import Box, Face, by_size
from mien.inference.pictures import read_picture
from mien.inference.tracking.motion import Motion
from mien.inference.tracking.tracker import MEMORY, Tracker
from mien.inference.video.finder import FaceFinder, Search
from mien.inference.video.frame import Frame, Place
from mien.preprocess import Square

SIZE = (640, 360)


def face(x, y, width=60.0):
    """A face by the middle of its box."""
    box = Box(x - width / 2, y - width / 2, width, width)
    return Face(box, 0.9, Square(x=box.x - 5, y=box.y - 5, side=width + 10))


def followed(tracker, paths, times, seen=lambda who, time: True):
    """Let faces go along paths; return the numbers each was given, by face."""
    numbers = {who: [] for who in range(len(paths))}
    for time in times:
        there = [who for who in range(len(paths)) if seen(who, time)]
        found = tracker.update([face(*paths[who](time)) for who in there], time, SIZE)
        for who, tracked in zip(there, found, strict=True):
            numbers[who].append(tracked.track)
    return numbers


def steady(rate, seconds):
    return [number / rate for number in range(int(rate * seconds))]


def test_a_crossing_does_not_swap_numbers():
    paths = [lambda t: (100 + 150 * t, 180), lambda t: (540 - 150 * t, 190)]
    numbers = followed(Tracker(), paths, steady(25, 3))
    assert [set(given) for given in numbers.values()] == [{1}, {2}]


@pytest.mark.parametrize("away", [0.2, 0.6, 1.2])
def test_a_moving_face_keeps_its_number_behind_something(away):
    def hidden(who, t):
        return not 1.0 <= t < 1.0 + away

    numbers = followed(Tracker(), [lambda t: (60 + 130 * t, 180)], steady(25, 4), hidden)
    assert set(numbers[0]) == {1}


def test_who_comes_after_a_long_absence_is_somebody_else():
    def hidden(who, t):
        return not 1.0 <= t < 1.2 + MEMORY

    numbers = followed(Tracker(), [lambda t: (300, 180)], steady(25, 4), hidden)
    assert set(numbers[0]) == {1, 2}


def test_who_walks_out_of_the_frame_does_not_come_back_as_the_next():
    def out(t):
        return (500 + 300 * t, 180)

    def later(t):
        return (600 - 100 * (t - 1), 180)

    def seen(who, t):
        return t < 0.45 if who == 0 else t > 0.8

    numbers = followed(Tracker(), [out, later], steady(25, 2), seen)
    assert [set(given) for given in numbers.values()] == [{1}, {2}]


@given(seed=st.integers(0, 10_000))
def test_numbers_do_not_depend_on_even_frames(seed):
    generator = np.random.default_rng(seed)
    times = np.cumsum(generator.choice([0.01, 0.04, 0.12], 60)).tolist()
    paths = [lambda t: (120 + 40 * t, 100), lambda t: (400 - 30 * t, 250)]
    numbers = followed(Tracker(), paths, times)
    assert [set(given) for given in numbers.values()] == [{1}, {2}]


@given(order=st.permutations(range(4)))
def test_numbers_do_not_depend_on_the_order_of_faces(order):
    tracker = Tracker()
    middles = [(100, 100), (250, 120), (400, 100), (550, 140)]
    first = tracker.update([face(*middle) for middle in middles], 0.0, SIZE)
    second = tracker.update([face(*middles[who]) for who in order], 0.04, SIZE)
    assert [found.track for found in second] == [first[who].track for who in order]


def test_faces_are_followed_where_nobody_looked():
    tracker = Tracker()
    for time in steady(25, 1):
        tracker.update([face(100 + 200 * time, 180)], time, SIZE)
    (found,) = tracker.follow(1.08, SIZE)
    assert (found.track, found.detected) == (1, False)
    assert found.face.box.x + found.face.box.width / 2 == pytest.approx(100 + 200 * 1.08, abs=3)
    # The square moves with the box.
    assert found.face.square.x - found.face.box.x == pytest.approx(-5, abs=0.5)
    assert tracker.follow(3.0, (150, 360)) == []


def test_faces_that_are_followed_come_largest_first():
    tracker = Tracker()
    small, large, other = face(60, 100, 40), face(200, 100, 90), face(400, 100, 90)
    tracker.update([small], 0.0, SIZE)
    tracker.update([large, other, small], 0.04, SIZE)
    assert [found.track for found in tracker.follow(0.08, SIZE)] == [2, 3, 1]


def test_where_nobody_looked_the_landmarks_are_not_known():
    tracker = Tracker()
    places = ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))
    tracker.update([replace(face(100, 100), eyes=places[:2], nose_and_mouth=places)], 0.0, SIZE)
    (found,) = tracker.follow(0.04, SIZE)
    assert (found.face.eyes, found.face.nose_and_mouth) == (None, None)


def test_a_filter_finds_speed_and_size():
    motion = Motion.begin(face(0, 0).box, 0.0)
    for number in range(1, 40):
        motion = motion.at(number / 20).seen(face(10 * number, -5 * number).box)
    assert motion.state[:2, 1] == pytest.approx([200, -100], rel=0.02)
    assert motion.width == pytest.approx(60)
    ahead = motion.at(39 / 20 + 0.5)
    assert ahead.centre == pytest.approx((490, -245), abs=3)
    assert (ahead.spread[:, 0, 0] > motion.spread[:, 0, 0]).all()


def test_a_box_that_shrinks_is_trusted_less_than_one_that_grows():
    motion = Motion.begin(face(0, 0).box, 0.0)
    for number in range(1, 10):
        motion = motion.at(number / 25).seen(face(0, 0).box)
    later = motion.at(0.4)
    half, double = later.seen(face(15, 0, 30).box), later.seen(face(15, 0, 120).box)
    assert abs(half.centre[0]) < 1 < double.centre[0]
    assert half.width > 50
    assert double.width > 70


@pytest.mark.parametrize("widths", [(145, 63), (63, 145)])
def test_who_is_half_as_large_at_once_is_somebody_else(widths):
    tracker = Tracker()
    numbers = []
    for number, time in enumerate(steady(25, 2)):
        (found,) = tracker.update([face(320, 180, widths[number >= 25])], time, SIZE)
        numbers.append(found.track)
    assert numbers == [1] * 25 + [2] * 25


@pytest.mark.parametrize("rate", [2, 5, 25])
def test_who_walks_up_to_the_camera_keeps_the_number(rate):
    tracker = Tracker()
    for time in steady(rate, 4):
        width = 30 * 2 ** (time * (2 if rate > 2 else 1))  # twice as near in half a second
        (found,) = tracker.update([face(320, 180, width)], time, SIZE)
        assert found.track == 1


@pytest.mark.parametrize(("rate", "missed"), [(2, 0), (25, 10)])
def test_who_was_not_seen_for_a_while_may_have_another_size(rate, missed):
    tracker = Tracker()
    times = steady(rate, 2)
    half = len(times) // 2
    for number, time in enumerate(times):
        if not half <= number < half + missed:
            (found,) = tracker.update([face(320, 180, 100 if number < half else 48)], time, SIZE)
            assert found.track == 1


def test_a_face_that_loses_its_width_alone_keeps_its_number():
    tracker = Tracker()
    whole = face(320, 180, 100)
    for time in steady(25, 1):
        tracker.update([whole], time, SIZE)
    part = replace(whole, box=replace(whole.box, width=40.0))
    (found,) = tracker.update([part], 1.0, SIZE)
    assert found.track == 1


def line(start, end, seconds):
    return lambda t: tuple(a + (b - a) * t / seconds for a, b in zip(start, end, strict=True))


def scenes(heads):
    """Faces that cross, hide, leave, come in, and many that wander; each with its seconds."""
    one, other, third = heads[0], heads[1], heads[2]
    yield (
        "cross",
        4,
        Scene([(one, line((60, 180), (580, 170), 4)), (other, line((580, 190), (60, 200), 4))]),
    )
    yield (
        "hide",
        4,
        Scene([(one, lambda t: (320 + 150 * math.sin(t * 1.5), 180))], bars=[(290, 380)]),
    )
    yield (
        "pass",
        5,
        Scene(
            [(one, line((60, 180), (580, 180), 5)), (other, line((560, 250), (100, 250), 5))],
            bars=[(270, 370)],
        ),
    )

    def comes(t):
        return None if t < 2 else (700 - (t - 2) * 150, 170)

    leaves = line((320, 180), (-200, 180), 3)
    yield (
        "leave",
        4,
        Scene([(one, leaves), (other, line((400, 180), (420, 200), 4)), (third, comes)]),
    )

    def wander(who):
        return lambda t: (
            110 + 105 * who + 60 * math.sin(t * 2 + who),
            180 + 90 * math.sin(t * 1.3 + 2 * who),
        )

    yield "wander", 4, Scene([(head, wander(who)) for who, head in enumerate(heads[:5])])


def score(scene, seconds, finder):
    truth, found = [], []
    for number in range(seconds * 25):
        picture, boxes = scene.draw(number / 25)
        truth.append(boxes)
        faces = finder.find(Frame(Place(number, number / 25), picture))
        found.append({f.track: _edges(f.face.box) for f in faces})
    return idf1(truth, found)


def _edges(box):
    return box.x, box.y, box.width, box.height


def heads_of(paths, detector):
    pictures = map(read_picture, paths)
    return [sprite(p, face).scaled(80) for p in pictures for face in by_size(detector.detect(p))]


def test_a_portrait_hides_and_is_found_again(head):
    (_, seconds, scene), *_ = [s for s in scenes([head.scaled(80)] * 3) if s[0] == "hide"]
    finder = FaceFinder(DETECTORS["haar"](None), Search())
    assert score(scene, seconds, finder) >= 0.95


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("detector", ["haar", "yunet"])
@pytest.mark.parametrize("name", ["cross", "hide", "pass", "leave", "wander"])
def test_real_faces_keep_their_numbers(detector, name, portrait, shared_media, weights_for):
    def make():
        return DETECTORS[detector](weights_for(detector))

    files = [portrait, shared_media / "single_face.jpg", shared_media / "multi_face.jpg"]
    heads = heads_of(files, make())
    (_, seconds, scene), *_ = [s for s in scenes(heads) if s[0] == name]
    assert score(scene, seconds, FaceFinder(make(), Search())) >= 0.95
