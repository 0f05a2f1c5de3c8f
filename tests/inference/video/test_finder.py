from __future__ import annotations

import numpy as np
import pytest
from clips import Scene, iou

from mien.errors import MienError
from mien.inference.detectors import DETECTORS
from mien.inference.face import Box, Face
from mien.inference.video.finder import FaceFinder, Search
from mien.inference.video.frame import Frame, Place
from mien.inference.video.sampling import Sampling
from mien.inference.video.tracking_clock import TrackingClock
from mien.preprocess import Square


class Watched:
    """A detector that remembers how large the pictures were that it was given."""

    def __init__(self, detector):
        self._detector = detector
        self.widths = []

    def detect(self, picture):
        self.widths.append(picture.shape[1])
        return self._detector.detect(picture)


def found(scene, search, seconds=2, rate=10):
    detector = Watched(DETECTORS["haar"](None))
    finder = FaceFinder(detector, search)
    frames = (
        Frame(Place(n, n / rate), scene.draw(n / rate)[0]) for n in range(round(seconds * rate))
    )
    return [finder.find(frame) for frame in frames], detector.widths


@pytest.fixture(scope="module")
def walk(head):
    large = head.scaled(120)
    return Scene([(large, lambda time: (150 + 150 * time, 180))], size=(640, 360))


def edges(face):
    return face.box.x, face.box.y, face.box.width, face.box.height


def test_glances_find_what_thorough_searches_find(walk):
    thorough, full = found(walk, Search(thorough=0))
    quick, shrunk = found(walk, Search(thorough=1.0))
    assert full == [640] * 20
    assert shrunk.count(640) == 2
    assert max(sorted(shrunk)[:18]) <= 320
    for one, other in zip(thorough, quick, strict=True):
        assert len(one) == len(other) == 1
        assert iou(edges(one[0].face), edges(other[0].face)) > 0.75
    assert {faces[0].track for faces in quick} == {1}


def test_a_face_that_is_missed_is_searched_thoroughly(head):
    large = head.scaled(120)
    gone = Scene([(large, lambda time: (200, 180) if time < 0.55 else None)], size=(640, 360))
    faces, widths = found(gone, Search(thorough=1.0), seconds=1)
    assert [len(frame) for frame in faces] == [1] * 6 + [0] * 4
    # A glance and then a full search where it went missing; nobody is missed after that.
    assert widths[6:8][1] == 640
    assert widths.count(640) == 2


def test_a_small_newcomer_is_found_within_a_second(head):
    small, large = head.scaled(40), head.scaled(150)

    def comes(time):
        return (500, 180) if time > 0.35 else None

    scene = Scene([(large, lambda time: (200, 180)), (small, comes)], size=(640, 360))
    faces, _ = found(scene, Search(thorough=1.0), seconds=2)
    assert all(len(frame) == 2 for frame in faces[10:])


def test_between_detections_faces_are_followed(walk):
    faces, widths = found(walk, Search(every=3, thorough=1.0))
    assert len(widths) == 7
    assert [frame[0].detected for frame in faces] == [n % 3 == 0 for n in range(20)]
    assert {frame[0].track for frame in faces} == {1}
    exact, _ = found(walk, Search())
    for one, other in list(zip(faces, exact, strict=True))[6:]:
        assert iou(edges(one[0].face), edges(other[0].face)) > 0.6


@pytest.mark.parametrize(("rate", "every"), [(0.5, 1), (0.1, 1), (2, 5)])
def test_sparse_frames_do_not_make_one_person_many(head, rate, every):
    large = head.scaled(120)
    # Nobody is seen for one look, as behind a hand.
    hidden = round(2 * every / rate)

    def still(time):
        return None if hidden <= time < hidden + every / rate else (300, 180)

    faces, _ = found(
        Scene([(large, still)], size=(640, 360)), Search(every), 6 * every / rate, rate
    )
    assert {face.track for frame in faces for face in frame} == {1}


def test_the_clock_is_the_videos_where_frames_are_dense():
    clock = TrackingClock()
    times = [*(n / 25 for n in range(20)), 60.0, 60.04]
    assert [clock.at(time) for time in times] == pytest.approx(times)


def test_a_long_step_counts_as_long_as_it_is_among_the_first_ones():
    clock = TrackingClock()
    times = [0.0, 0.04, 5.0, 5.04, 9.0]
    assert [clock.at(time) for time in times] == pytest.approx(times)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize(("live", "damaged", "persons"), [(0, 0, 1), (0, 1, 2), (1, 0, 2)])
def test_a_still_is_no_absence_where_no_frame_can_be_missing(every, live, damaged, persons):
    finder = FaceFinder(Marked(), Search(every), live=bool(live))
    picture = np.zeros((360, 640, 3), np.uint8)
    times = [*(n / 25 for n in range(10)), *(5.2 + n / 25 for n in range(10))]
    places = [Place(n, time, damaged * (n >= 10)) for n, time in enumerate(times)]
    faces = [face for place in places for face in finder.find(Frame(place, picture))]
    assert {face.track for face in faces} == set(range(1, persons + 1))


class Marked:
    """A detector that sees a face in the middle of any picture, with all its landmarks."""

    def detect(self, picture):
        height, width = picture.shape[:2]
        x, y, side = width / 4, height / 4, width / 2
        points = tuple((x + share * side, y + share * side) for share in (0.3, 0.4, 0.5, 0.6, 0.7))
        box, square = Box(x, y, side, height / 2), Square(x=x, y=y, side=side)
        return [Face(box, 1.0, square, eyes=points[:2], nose_and_mouth=points[2:])]


def test_landmarks_are_in_the_pixels_of_the_frame():
    finder = FaceFinder(Marked(), Search(thorough=10.0))
    picture = np.zeros((360, 640, 3), np.uint8)
    thorough, glance = (finder.find(Frame(Place(n, n / 25), picture))[0].face for n in range(2))
    assert edges(glance) == pytest.approx(edges(thorough))
    assert glance.landmarks == pytest.approx(np.array(thorough.landmarks))


@pytest.mark.parametrize("shape", [(1, 3000), (3, 4000), (2, 1280), (3000, 1)])
def test_frames_of_any_shape_are_searched(shape):
    finder = FaceFinder(DETECTORS["haar"](None), Search(thorough=10.0))
    picture = np.zeros((*shape, 3), np.uint8)
    assert [finder.find(Frame(Place(n, n / 25), picture)) for n in range(2)] == [[], []]


@pytest.mark.data
@pytest.mark.parametrize("sampling", [Sampling(fps=0.5), Sampling(every=50), Sampling(fps=1)])
def test_a_real_person_stays_one_in_sparse_frames(sampling, shared_media):
    from mien.inference.video.clip import Clip

    finder = FaceFinder(DETECTORS["haar"](None), Search())
    frames = sampling.pick(Clip(shared_media / "single_face.mp4").frames())
    assert {face.track for frame in frames for face in finder.find(frame)} == {1}


@pytest.mark.parametrize(
    "options", [{"every": 0}, {"thorough": -1.0}, {"thorough": float("nan")}, {"thorough": 1e-320}]
)
def test_impossible_searches_are_refused(options):
    with pytest.raises(MienError):
        Search(**options)


@pytest.mark.data
@pytest.mark.parametrize("detector", ["haar", "yunet"])
def test_no_face_of_a_real_clip_is_missed(detector, shared_media, weights_for):
    from mien.inference.video.clip import Clip

    finder = FaceFinder(DETECTORS[detector](weights_for(detector)), Search())
    counts = [len(finder.find(f)) for f in Clip(shared_media / "single_face.mp4").frames()]
    assert counts == [1] * 72
