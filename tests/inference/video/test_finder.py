from __future__ import annotations

import pytest
from clips import Scene, iou

from mien.errors import MienError
from mien.inference.detectors import DETECTORS
from mien.inference.video.finder import FaceFinder, Search
from mien.inference.video.frame import Frame, Place


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
    frames = (Frame(Place(n, n / rate), scene.draw(n / rate)[0]) for n in range(seconds * rate))
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
