import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.dataset import FaceDataset
from mien.data.readers import read_dataset
from mien.data.sample import SPLITS
from mien.data.store import MANIFEST, TABLE, read_store, write_store
from mien.errors import DataError, MienError
from mien.labels import VOTES, label_set


@pytest.fixture
def store(tmp_path, small_dataset):
    write_store(small_dataset, tmp_path / "store")
    return tmp_path / "store"


def test_the_store_gives_back_what_it_was_given(store, small_dataset):
    found = read_dataset(store)
    assert found.fingerprint == small_dataset.fingerprint
    assert (found.name, found.labels, found.history) == (
        small_dataset.name,
        small_dataset.labels,
        small_dataset.history,
    )
    np.testing.assert_array_equal(found.images, small_dataset.images)
    np.testing.assert_array_equal(found.votes, small_dataset.votes)


@st.composite
def any_dataset(draw):
    count = draw(st.integers(1, 12))
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)

    def column(values, **options):
        return draw(st.lists(values, min_size=count, max_size=count, **options))

    generator = np.random.default_rng(draw(st.integers(0, 99)))
    return FaceDataset(
        name=draw(text),
        labels=label_set(draw(st.sampled_from(["four", "ferplus8", "happy+sad"]))),
        images=generator.integers(0, 256, (count, height, width), dtype=np.uint8),
        targets=np.array(column(st.integers(-1, 1)), np.int64),
        splits=np.array(column(st.sampled_from(SPLITS)), np.str_),
        subjects=np.array(column(text), np.str_),
        sources=np.array(column(text), np.str_),
        ids=np.array(column(text, unique=True), np.str_),
        votes=generator.integers(0, 11, (count, 10), dtype=np.uint8)
        if draw(st.booleans())
        else None,
        history=tuple(draw(st.lists(text, max_size=3))),
    )


@settings(max_examples=60)
@given(any_dataset())
def test_any_dataset_comes_back_as_it_was(dataset):
    with tempfile.TemporaryDirectory() as folder:
        write_store(dataset, Path(folder) / "store")
        found = read_store(Path(folder) / "store")
    assert found.fingerprint == dataset.fingerprint
    assert (found.name, found.labels, found.history) == (
        dataset.name,
        dataset.labels,
        dataset.history,
    )
    np.testing.assert_array_equal(found.images, dataset.images)
    np.testing.assert_array_equal(found.ids, dataset.ids)


def test_faces_without_label_or_votes_survive(tmp_path, small_dataset):
    bare = dataclasses.replace(
        small_dataset, votes=None, targets=np.full(len(small_dataset), -1, np.int64)
    )
    write_store(bare, tmp_path / "bare")
    found = read_store(tmp_path / "bare")
    assert found.votes is None
    assert found.fingerprint == bare.fingerprint


def test_pictures_are_read_group_by_group(store, small_dataset):
    """Those of a large dataset do not fit into one column."""
    table = pq.read_table(store / TABLE)
    pq.write_table(table, store / TABLE, row_group_size=10)
    assert pq.ParquetFile(store / TABLE).num_row_groups == 9
    np.testing.assert_array_equal(read_store(store).images, small_dataset.images)


def test_what_mien_wrote_is_not_prepared_nor_read_by_its_table(store, mien, tmp_path):
    code, _, err = mien("data", "prepare", store, "--detector", "none", "--out", tmp_path / "x")
    assert (code, "votes and history would be lost" in " ".join(err.split())) == (2, True)
    with pytest.raises(DataError, match="is the table of a dataset that mien wrote: name its fold"):
        read_dataset(store / TABLE)


def test_pandas_opens_it(store, small_dataset):
    table = pd.read_parquet(store / TABLE)
    assert len(table) == len(small_dataset)
    assert table["label"].tolist() == [s.expression for s in small_dataset]
    assert table["votes"][3].tolist() == small_dataset.votes[3].tolist()


def test_hugging_face_opens_it_with_pictures(store, small_dataset, tmp_path):
    opened = datasets.Dataset.from_parquet(str(store / TABLE), cache_dir=str(tmp_path / "cache"))
    assert isinstance(opened.features["image"], datasets.Image)
    np.testing.assert_array_equal(np.array(opened[2]["image"]), small_dataset.images[2])
    assert opened[2]["split"] == "train"


def test_the_manifest_says_what_is_inside(store, small_dataset):
    manifest = json.loads((store / MANIFEST).read_text())
    assert manifest["faces"] == len(small_dataset)
    assert manifest["fingerprint"] == small_dataset.fingerprint
    assert manifest["votes"] == list(VOTES)
    assert manifest["counts"]["val"]["anger"] == 2


def test_a_store_is_replaced_but_another_folder_is_not(store, small_dataset, tmp_path):
    half = small_dataset.select(np.arange(10))
    write_store(half, store)
    assert len(read_store(store)) == 10
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").write_text("x")
    with pytest.raises(DataError, match="is not a dataset store"):
        write_store(half, tmp_path / "photos")


def test_a_changed_store_is_noticed(store):
    manifest = json.loads((store / MANIFEST).read_text())
    (store / MANIFEST).write_text(json.dumps(manifest | {"fingerprint": "0" * 64}))
    with pytest.raises(DataError, match="its fingerprint differs"):
        read_store(store)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must be a dataset manifest of format 1"),
        ('{"format": 9}', "must be a dataset manifest of format 1"),
        ('{"format": 1}', "name: Field required"),
    ],
)
def test_a_damaged_manifest_says_so(store, manifest, message):
    (store / MANIFEST).write_text(manifest)
    with pytest.raises(DataError, match=message):
        read_store(store)


def test_a_damaged_table_says_so(store):
    (store / TABLE).write_bytes(b"PAR1 nonsense")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_store(store)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("label", "joy", "row 1: wanted one of anger, .* found 'joy'"),
        ("label", 3, "wanted 'label' as string, found int64"),
        ("image", {"bytes": b"x", "path": "a"}, "row 1: the image is not a PNG"),
        ("image", {"bytes": None, "path": "a"}, "row 1: the image is not a PNG"),
        ("image", "a.png", "wanted 'image' as struct"),
        ("split", None, "lacks the column 'split'"),
        ("votes", [1, 2], "row 1: wanted 'votes' as 10 whole numbers .* found \\[1, 2\\]"),
        ("votes", [300] * 10, "row 1: wanted 'votes'"),
        ("votes", [None] * 10, "row 1: wanted 'votes'"),
        ("votes", 7, "row 1: wanted 'votes' as 10 .* found 7"),
    ],
)
def test_an_edited_table_says_what_is_wrong(store, column, values, message):
    table = pq.read_table(store / TABLE)
    index = table.column_names.index(column)
    table = table.remove_column(index)
    if values is not None:
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        given = pa.array([values] * len(table), kind if isinstance(values, dict) else None)
        table = table.add_column(index, column, given)
    pq.write_table(table, store / TABLE)
    with pytest.raises(DataError, match=message):
        read_store(store)


FULL_DISK = """
import resource, sys
from mien.data.store import read_store, write_store
faces = read_store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
write_store(faces, sys.argv[1])
"""


def test_a_full_disk_leaves_the_previous_store(store, small_dataset):
    before = {path.name: path.read_bytes() for path in store.iterdir()}
    command = [sys.executable, "-c", FULL_DISK, store]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "File too large" in ended.stderr
    assert {path.name: path.read_bytes() for path in store.iterdir()} == before
    assert [path.name for path in store.parent.iterdir()] == [store.name]


def test_what_is_not_ours_alone_is_not_replaced(store, small_dataset, tmp_path):
    foreign = tmp_path / "project"
    foreign.mkdir()
    (foreign / MANIFEST).write_text('{"name": "of another program"}')
    with pytest.raises(DataError, match=r"dataset\.json must be a dataset manifest of format 1"):
        write_store(small_dataset, foreign)
    assert [path.name for path in foreign.iterdir()] == [MANIFEST]
    (store / ".DS_Store").write_text("x")
    write_store(small_dataset, store)
    (store / "thesis.md").write_text("x")
    with pytest.raises(DataError, match=r"holds more than a dataset: thesis\.md"):
        write_store(small_dataset, store)
    assert (store / "thesis.md").is_file()


def test_the_working_folder_is_not_replaced(store, small_dataset, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    for folder in (store, tmp_path / "empty"):
        monkeypatch.chdir(folder)
        for name in (Path(), folder):
            with pytest.raises(DataError, match="is the working folder"):
                write_store(small_dataset, name)
    assert len(read_store(store)) == len(small_dataset)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_target_is_the_store(small_dataset, tmp_path, there):
    target, link = tmp_path / "disk" / "store", tmp_path / "link"
    target.parent.mkdir()
    if there:
        write_store(small_dataset.select(np.arange(9)), target)
    link.symlink_to(target, target_is_directory=True)
    write_store(small_dataset, link)
    assert link.is_symlink()
    assert len(read_store(target)) == len(small_dataset)
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(
        ["disk", "link", "store", TABLE, MANIFEST]
    )


def test_a_store_cannot_stand_in_a_file(small_dataset, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MienError, match=r"file must be a folder to write to\. Got a file"):
        write_store(small_dataset, tmp_path / "file" / "store")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_store_may_stand_in_a_folder_whose_name_is_no_utf8(small_dataset, tmp_path, monkeypatch):
    top = tmp_path / os.fsdecode(b"M\xe4rz")
    top.mkdir()
    monkeypatch.chdir(top)
    for folder in (Path("store"), top / "other"):
        write_store(small_dataset, folder)
        assert read_store(folder).fingerprint == small_dataset.fingerprint
