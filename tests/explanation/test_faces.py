import numpy as np
import pytest

from mien.errors import DataError, ImageError, MienError
from mien.explanation.explainer import Explainer
from mien.explanation.faces import in_photo, in_split, of_dataset, sample, study
from mien.explanation.landmarks import CANONICAL
from mien.explanation.record import About, arrays, record
from mien.explanation.regions import REGIONS
from mien.explanation.settings import Settings
from mien.explanation.summary import class_means, trust
from mien.inference.detectors import DETECTORS
from mien.inference.face import Box, Face
from mien.inference.pictures import read_picture
from mien.preprocess import Preprocess, Square


class Fixed:
    """A detector that knows where faces and their landmarks are."""

    def __init__(self, *faces):
        self.faces = faces

    def detect(self, picture):
        return list(self.faces)


def face(landmarks=None):
    eyes, others = (landmarks[:2], landmarks[2:]) if landmarks else (None, None)
    return Face(Box(0, 0, 48, 48), 1.0, Square(x=0, y=0, side=48), eyes, others)


LANDMARKS = tuple((float(x), float(y)) for x, y in CANONICAL * 48 + 2)
PICTURE = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)


def test_regions_of_a_photo_are_placed_by_its_landmarks_where_they_are_known():
    known = in_photo(PICTURE, Fixed(face(LANDMARKS)), Preprocess())
    assert np.allclose(known.faces[0].landmarks, CANONICAL + 2 / 48)
    assert known.places == "by the landmarks of each face"
    for chosen in (
        in_photo(PICTURE, Fixed(face()), Preprocess()),
        in_photo(PICTURE, Fixed(face(LANDMARKS)), Preprocess(), "canonical"),
    ):
        assert chosen.faces[0].landmarks is None
        assert chosen.places.startswith("canonical")


def test_landmarks_count_only_where_all_are_known():
    assert face(LANDMARKS).landmarks == LANDMARKS
    assert Face(Box(0, 0, 1, 1), 1, Square(x=0, y=0, side=1), LANDMARKS[:2]).landmarks is None


def test_what_cannot_be_explained_is_said(small_faces):
    with pytest.raises(ImageError, match="No face"):
        in_photo(PICTURE, Fixed(), Preprocess())
    with pytest.raises(MienError, match="must be 'own' or 'canonical'"):
        in_photo(PICTURE, Fixed(face()), Preprocess(), "median")
    drawn = sample(small_faces, 3)
    with pytest.raises(MienError, match="did you mean 'median'"):
        of_dataset(drawn, 48, "medium")
    with pytest.raises(MienError, match="detector that tells landmarks"):
        of_dataset(drawn, 48, "own", Fixed(face()))
    with pytest.raises(DataError, match="1 or more"):
        sample(small_faces, 0)
    with pytest.raises(DataError, match="no split 'dev'"):
        in_split(small_faces, "dev")


def test_faces_without_landmarks_of_their_own_keep_the_canonical_places(small_faces):
    drawn = sample(small_faces, 4)
    answers = iter([[face(LANDMARKS)], [], [face(LANDMARKS)], []])
    detector = Fixed()
    detector.detect = lambda picture: next(answers)
    own = of_dataset(drawn, 48, "own", detector)
    assert [one.landmarks is None for one in own.faces] == [False, True, False, True]
    assert "2 of 4" in own.places
    answers = iter([[face(LANDMARKS)], [], [], []])
    median = of_dataset(drawn, 48, "median", detector)
    assert all(np.array_equal(one.landmarks, median.faces[0].landmarks) for one in median.faces)


def test_a_sample_is_drawn_alike_each_time(small_dataset):
    test = in_split(small_dataset)
    assert set(test.splits) == {"test"}
    one, other = sample(test, 5), sample(test, 5)
    assert one.ids.tolist() == other.ids.tolist()
    assert len(set(one.ids)) == 5
    assert one.ids.tolist() != sample(test, 5, seed=1).ids.tolist()
    assert len(sample(test, 10**6)) == len(test)
    assert one.history[-1] == "5 of 14 faces of fer2013 (test), drawn at random, seed 0"


@pytest.mark.parametrize("count", [7, 10, 14])
def test_a_balanced_sample_has_each_class_as_often(small_dataset, count):
    assert in_split(small_dataset, "all") is small_dataset
    train = in_split(small_dataset, "train")
    drawn = sample(train, count, balanced=True)
    counts = np.bincount(drawn.targets, minlength=7)
    assert counts.sum() == count
    assert counts.max() - counts.min() <= 1


@pytest.fixture(scope="module")
def explained(small_output, small_faces):
    chosen = of_dataset(sample(small_faces, 6), 48)
    return study(Explainer(small_output), chosen.faces)


def test_means_by_expression_are_means(explained):
    found = class_means(explained)
    assert sum(one.count for one in found) == 6
    for one in found:
        own = [face for face in explained if face.expression == one.expression]
        assert one.count == len(own)
        assert np.allclose(one.face, np.mean([f.crop for f in own], axis=0), atol=0.5)
        assert np.allclose(one.shapley, np.mean([f.contributions.shapley for f in own], axis=0))
        assert np.abs(one.heatmaps["occlusion"]).max() < 3
        assert one.shares["occlusion"].sum() == pytest.approx(1)


def test_a_chosen_expression_is_the_only_one(small_output, small_faces):
    chosen = of_dataset(sample(small_faces, 3), 48)
    found = class_means(study(Explainer(small_output), chosen.faces, "sad"))
    assert [(one.expression, one.count) for one in found] == [("sadness", 3)]


def test_the_record_holds_what_was_found(explained, small_output):
    about = About(small_output, ("occlusion",), Settings(), "here", "all", "canonical")
    content = record(about, explained, class_means(explained), trust(explained))
    assert content["regions"] == REGIONS
    first, written = explained[0], content["faces"][0]
    assert written["name"] == first.name
    assert np.allclose(written["shapley"], first.contributions.shapley, atol=1e-6)
    assert sum(written["shapley"]) == pytest.approx(
        first.contributions.values[0] - first.contributions.values[-1], abs=1e-5
    )
    assert written["faithfulness"]["occlusion"]["deletion"] == pytest.approx(
        first.faithfulness["occlusion"].deletion.area, abs=1e-6
    )
    assert [one["method"] for one in content["faithfulness"]] == ["occlusion", "regions"]
    kept = arrays(explained)
    assert kept["occlusion"].shape == kept["crops"].shape == (6, 48, 48)
    assert np.allclose(kept["occlusion"][0], first.explanations[0].heatmap, atol=1e-6)


@pytest.mark.data
def test_yunet_places_the_regions_of_a_photo(shared_media, shared_models):
    detector = DETECTORS["yunet"](shared_models / "face_detection_yunet_2026may.onnx")
    chosen = in_photo(read_picture(shared_media / "multi_face.jpg"), detector, Preprocess())
    assert len(chosen.faces) == 5
    for one in chosen.faces:
        assert np.abs(one.landmarks - CANONICAL).max() < 0.15
