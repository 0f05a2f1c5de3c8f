import csv
import dataclasses
import re
import tracemalloc

import numpy as np
import PIL.Image
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from mien.data.explore.features import model_features, pixels
from mien.data.explore.projection import baseline, nearest_neighbours, principal_components
from mien.data.explore.report import explore
from mien.data.explore.statistics import mean_faces, measures, shape_table
from mien.data.sizes import of_side
from mien.errors import DataError
from mien.inference.classifier import Classifier


def points(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32) * [
        5,
        3,
        2,
        1,
        1,
        1,
    ]


def test_components_are_scikit_learns_up_to_sign():
    rows = points(200).astype(np.float32)
    found = principal_components(rows, 3)
    oracle = PCA(3).fit(rows)
    np.testing.assert_allclose(found.explained, oracle.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(np.abs(found.points), np.abs(oracle.transform(rows)), atol=1e-3)


@pytest.mark.parametrize("neighbours", [1, 5])
def test_neighbours_vote_as_scikit_learns_do(neighbours):
    known, asked = points(300, 1).astype(np.float32), points(1500, 2).astype(np.float32)
    targets = (known[:, 0] > 0).astype(np.int64) + 2 * (known[:, 1] > 1)
    oracle = KNeighborsClassifier(neighbours).fit(known, targets)
    found = nearest_neighbours(known, targets, asked, neighbours)
    assert np.mean(found == oracle.predict(asked)) > 0.995


def test_measures_of_known_images():
    images = np.zeros((3, 8, 8), np.uint8)
    images[1] = 200
    images[2, :, ::2] = 100
    found = measures(images)
    assert found["brightness"].tolist() == [0, 200, 50]
    assert found["contrast"].tolist() == [0, 0, 50]
    assert found["sharpness"][0] == found["sharpness"][1] == 0 < found["sharpness"][2]


def test_mean_faces_and_missing_values(small_dataset):
    faces = mean_faces(small_dataset)
    assert set(faces) == set(small_dataset.labels.expressions)
    anger = small_dataset.images[small_dataset.targets == 0].astype(float).mean(0)
    assert np.abs(faces["anger"] - anger).max() <= 0.5
    rows = dict(shape_table(small_dataset))
    assert rows["missing subjects"] == "84"
    assert rows["missing labels"] == "0"
    assert rows["votes"] == "10 columns"


def test_the_page_is_whole_with_pictures_and_tables_beside_it(small_dataset, tmp_path):
    explore(small_dataset, tmp_path)
    page = (tmp_path / "explore.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=.(?!data:)", page)
    pictures = {path.stem for path in tmp_path.glob("*.png")}
    assert pictures == {
        *("counts", "mean-faces", "samples", "distributions"),
        *("pca-2d", "pca-3d", "nearest-neighbours"),
    }
    assert page.count("<img") == len(pictures)
    assert all(PIL.Image.open(path).size[0] > 400 for path in tmp_path.glob("*.png"))
    with (tmp_path / "counts.csv").open(encoding="utf-8") as file:
        counts = list(csv.DictReader(file))
    assert sum(int(row["train"]) for row in counts) == 56
    with (tmp_path / "images.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(small_dataset)


def test_without_splits_there_is_no_baseline_and_without_labels_nothing(small_dataset, tmp_path):
    whole = dataclasses.replace(small_dataset, splits=np.full(len(small_dataset), ""))
    assert baseline(whole, pixels(whole)) is None
    explore(whole, tmp_path / "whole")
    assert not (tmp_path / "whole" / "nearest-neighbours.png").exists()
    bare = dataclasses.replace(small_dataset, targets=np.full(len(small_dataset), -1))
    with pytest.raises(DataError, match="has no labels to explore"):
        explore(bare, tmp_path / "bare")
    assert not (tmp_path / "bare").exists()


@pytest.mark.data
def test_a_models_features_tell_expressions_apart_better_than_pixels(real_fer2013, tmp_path):
    # What a model saw in training says nothing: the faces of val and test, divided anew.
    judged = real_fer2013.select(np.flatnonzero(real_fer2013.splits != "train")[::6])
    half = np.where(np.arange(len(judged)) % 2, "train", "test")
    judged = dataclasses.replace(judged, splits=half)
    classifier = Classifier()
    rows = model_features(judged, classifier)
    assert rows.shape == (len(judged), 256)
    reached = [np.mean(np.equal(*baseline(judged, r))) for r in (pixels(judged), rows)]
    assert reached[0] < 0.45
    assert reached[1] > 0.6
    explore(judged, tmp_path, classifier)
    assert "components of the features of mien-base" in (tmp_path / "explore.html").read_text()


def test_large_faces_are_shrunk_for_their_pixels(small_dataset):
    large = dataclasses.replace(small_dataset, images=of_side(small_dataset.images, 224))
    assert pixels(small_dataset).shape == (84, 48 * 48)
    assert pixels(large).shape == (84, 48 * 48)
    assert np.abs(pixels(large) - pixels(small_dataset)).mean() < 0.02


def test_measures_do_not_turn_all_images_into_fractions():
    images = np.random.default_rng(0).integers(0, 256, (2000, 100, 100), dtype=np.uint8)
    tracemalloc.start()
    try:
        found = measures(images)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found["contrast"].tolist() == images.std(axis=(1, 2)).tolist()
    assert peak < 2 * images.nbytes


@pytest.mark.parametrize("faces", ["one", "of one pixel"])
def test_the_least_that_can_be_looked_at(small_dataset, tmp_path, faces):
    least = dataclasses.replace(small_dataset, images=small_dataset.images[:, :1, :1])
    explore(small_dataset.select(np.array([5])) if faces == "one" else least, tmp_path)
    assert (tmp_path / "explore.html").exists()
