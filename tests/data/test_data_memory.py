"""How much of the memory datasets take while they are read, prepared and written."""

import tracemalloc
from contextlib import contextmanager

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.data import stack
from mien.data.dataset import FaceDataset
from mien.data.prepare.run import list_pictures, prepare, prepared_dataset
from mien.data.prepare.settings import Preparation
from mien.data.readers import read_dataset
from mien.data.sample import Sample
from mien.data.stack import gathered
from mien.data.store import TABLE, read_store, write_store
from mien.errors import DataError
from mien.labels import label_set

FACES, SIDE = 22_000, 48
PHOTOS, LARGE = 200, 512
"""Each 50 MB."""


@contextmanager
def peaks():
    """Two figures after the block: the most bytes of Python and NumPy, and those of Arrow."""
    found = []
    pool, usual = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
    pa.array([1])  # imports pandas
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        yield found
        found += [tracemalloc.get_traced_memory()[1], pool.max_memory()]
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(usual)


def noise(count, side):
    generator = np.random.default_rng(0)
    for number in range(count):
        image = generator.integers(0, 256, (side, side), dtype=np.uint8)
        yield Sample(f"{number:05d}", image, "happiness", "train")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of pictures that are each one face."""
    top = tmp_path_factory.mktemp("photos")
    for sample in noise(PHOTOS, LARGE):
        path = top / ("happy", "sad")[int(sample.id) % 2] / f"{sample.id}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), cv2.GaussianBlur(sample.image, (0, 0), 1))
    return top


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 5), st.integers(0, 60))
def test_gathered_images_are_those_of_the_samples(count, height, width, block):
    images = np.random.default_rng(count).integers(0, 256, (count, height, width), dtype=np.uint8)
    samples = [Sample(str(number), image, "fear") for number, image in enumerate(images)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stack, "BLOCK", block)
        rows, found = gathered("own", iter(samples))
        np.testing.assert_array_equal(found, images)
        assert [row.id for row in rows] == [sample.id for sample in samples]
        assert all(row.image.size == 0 for row in rows)
        odd = Sample("odd", np.zeros((height, width + 1), np.uint8), "fear")
        with pytest.raises(
            DataError, match=f"{width}x{height} for '0' and {width + 1}x{height} fo"
        ):
            gathered("own", [*samples, odd])


def test_no_samples_are_no_images():
    rows, images = gathered("own", [])
    assert (rows, len(images)) == ([], 0)
    with pytest.raises(DataError, match="Got no images instead"):
        FaceDataset.from_samples("own", label_set("four"), [])


def test_samples_are_not_held_twice():
    with peaks() as found:
        dataset = FaceDataset.from_samples("own", label_set("four"), noise(FACES, SIDE))
    assert found[0] < 1.35 * dataset.images.nbytes
    last = list(noise(FACES, SIDE))[-1]
    np.testing.assert_array_equal(dataset.images[-1], last.image)


def test_pictures_that_are_read_are_not_held_twice(photos):
    with peaks() as found:
        dataset = read_dataset(photos)
    assert len(dataset) == PHOTOS
    assert found[0] < 1.35 * dataset.images.nbytes


def test_pictures_that_are_prepared_are_not_held_twice(photos, tmp_path):
    raw, settings = list_pictures(photos), Preparation(detector="none", size=LARGE)
    with peaks() as found, prepare(raw, settings, tmp_path / "out") as outcomes:
        dataset = prepared_dataset(raw, outcomes, settings)
    assert found[0] < 1.35 * dataset.images.nbytes
    np.testing.assert_array_equal(dataset.images, read_dataset(photos).images)


def test_a_store_is_written_group_by_group(tmp_path):
    dataset = FaceDataset.from_samples("own", label_set("four"), noise(FACES, SIDE))
    with peaks() as found:
        write_store(dataset, tmp_path / "store")
    assert max(found) < 0.75 * dataset.images.nbytes
    assert sum(found) < dataset.images.nbytes
    file = pq.ParquetFile(tmp_path / "store" / TABLE)
    groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert groups == [4096] * 5 + [FACES - 5 * 4096]
    assert read_store(tmp_path / "store").fingerprint == dataset.fingerprint


def test_groups_of_large_faces_have_fewer_rows(tmp_path):
    dataset = FaceDataset.from_samples("own", label_set("four"), noise(PHOTOS, LARGE))
    with peaks() as found:
        write_store(dataset, tmp_path / "store")
    assert sum(found) < 1.5 * dataset.images.nbytes
    file = pq.ParquetFile(tmp_path / "store" / TABLE)
    assert [file.metadata.row_group(g).num_rows for g in range(4)] == [64, 64, 64, 8]
    assert read_store(tmp_path / "store").fingerprint == dataset.fingerprint
