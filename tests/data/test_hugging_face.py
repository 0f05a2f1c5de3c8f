"""Parquet with pictures in it, as the library `datasets` writes it for the hub."""

import json
import pickle
import sys

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from makers import drawn_face
from mien.data import parquet
from mien.data.prepare.run import list_pictures, prepare, prepared_dataset
from mien.data.prepare.settings import NO_DETECTOR, Preparation
from mien.data.readers import find_reader, read_dataset
from mien.data.store import write_store
from mien.errors import DataError, MienError, MissingExtraError
from mien.labels import ClassNames

NAMES = ["angry", "happy", "sad"]
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def face(code, size=48):
    return cv2.resize(drawn_face(code, np.random.default_rng(code)), (size, size))


def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


def images(codes, size=48):
    cells = [{"bytes": png(face(code, size)), "path": None} for code in codes]
    return pa.array(cells, IMAGE)


def features(names=NAMES, label="label"):
    found = {"image": {"_type": "Image"}, label: {"names": names, "_type": "ClassLabel"}}
    return {"huggingface": json.dumps({"info": {"features": found}})}


def write(path, columns, metadata=None, rows=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns).replace_schema_metadata(metadata)
    pq.write_table(table, path, row_group_size=rows)
    return path


@pytest.fixture
def hub(tmp_path):
    """Make a dataset's folder as it is cloned from the hub: train in two files, and test."""
    top = tmp_path / "faces"
    for name, codes in {
        "train-00000-of-00002-a1b2": (0, 1, 2, 1, 0),
        "train-00001-of-00002-c3d4": (2, 1),
        "test-00000-of-00001-e5f6": (0, 2, 1),
    }.items():
        columns = {"image": images(codes), "label": codes}
        write(top / "data" / f"{name}.parquet", columns, features())
    (top / "README.md").write_text("---\ndataset_info: {}\n---\n")
    (top / ".gitattributes").write_text("*.parquet filter=lfs\n")
    return top


def test_a_folder_from_the_hub_is_read_file_after_file(hub):
    assert find_reader(hub)[0] == "hugging-face"
    dataset = read_dataset(hub)
    assert dataset.labels.name == "four"
    codes = [0, 2, 1, 0, 1, 2, 1, 0, 2, 1]
    expressions = ["anger", "happiness", "sadness"]
    assert [sample.expression for sample in dataset] == [expressions[code] for code in codes]
    np.testing.assert_array_equal(dataset.images, [face(code) for code in codes])
    assert dataset.splits.tolist() == ["test"] * 3 + ["train"] * 7
    assert dataset.ids[4] == "data/train-00000-of-00002-a1b2/00001"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00001.parquet", "train"),
        ("default/validation/0000.parquet", "val"),
        ("fer2013_TEST.parquet", "test"),
        ("train/private-test.parquet", "test"),
        ("trained.parquet", ""),
        ("test-faces-train.parquet", ""),
        ("default/fer-test-test.parquet", "test"),
        ("fer-train-00000-of-00002-test.parquet", "train"),
        ("val_and_train/faces.parquet", ""),
        ("faces-dev.parquet", "val"),
        ("train2017/0000.parquet", "train"),
    ],
)
def test_a_word_of_the_file_or_the_nearest_folder_names_the_split(tmp_path, name, split):
    write(tmp_path / "top" / name, {"image": images((0, 1)), "label": ["angry", "happy"]})
    assert read_dataset(tmp_path / "top").splits.tolist() == [split] * 2


def test_rows_without_a_split_beside_others_are_counted(hub):
    columns = {"image": images((0, 1)), "label": (0, 1)}
    write(hub / "data" / "unsupervised.parquet", columns, features())
    assert read_dataset(hub).history == ("read: 2 of 12 faces have no split",)
    write(hub / "data" / "unsupervised.parquet", columns | {"split": ["train", None]}, features())
    dataset = read_dataset(hub)
    assert dataset.splits.tolist() == ["test"] * 3 + ["train"] * 8 + [""]
    assert dataset.history == ("read: 1 of 12 faces have no split",)


def test_a_file_without_rows_needs_no_split(hub):
    none = {"image": images(()), "label": pa.array([], pa.int64())}
    write(hub / "data" / "extra.parquet", none, features())
    assert len(read_dataset(hub)) == 10


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (("full/train/0.parquet", "full/test/0.parquet", "small/test/0.parquet"), "full, small"),
        (("snapshots/a1/data/train.parquet", "snapshots/b2/data/train.parquet"), "a1, snapshots/b"),
        (("data/train.parquet", "ck/test.parquet"), r"\(., ck\)"),
    ],
)
def test_several_datasets_in_a_folder_are_not_mixed(tmp_path, files, folders):
    for file in files:
        write(tmp_path / "top" / file, {"image": images((0, 1)), "label": ["angry", "happy"]})
    with pytest.raises(DataError, match=rf"several datasets in Parquet .*{folders}.*: name one"):
        read_dataset(tmp_path / "top")


@pytest.mark.parametrize(
    "files",
    [
        ("default/partial-train/0000.parquet", "default/test/0000.parquet"),
        ("train2017/0000.parquet", "val2017/0000.parquet"),
        ("data/train.parquet", "test.parquet"),
        ("data/train_set/0000.parquet", "testset/0000.parquet"),
    ],
)
def test_folders_that_name_a_split_are_of_one_dataset(tmp_path, files):
    for file in files:
        write(tmp_path / "top" / file, {"image": images((0, 1)), "label": ["angry", "happy"]})
    assert len(read_dataset(tmp_path / "top")) == 4


def test_a_folder_above_stores_is_none(hub, tmp_path):
    for name in ("one", "two"):
        write_store(read_dataset(hub), tmp_path / "stores" / name)
    with pytest.raises(DataError, match=r"holds datasets that mien wrote \(one, two\): name one"):
        read_dataset(tmp_path / "stores")


def test_columns_of_the_rows_go_before_the_file_name(tmp_path):
    columns = {
        "image": images((0, 1, 2)),
        "label": NAMES,
        "split": ["train", "Validation", None],
        "subject": ["7", " p2 ", None],
    }
    dataset = read_dataset(write(tmp_path / "test.parquet", columns))
    assert dataset.splits.tolist() == ["train", "val", ""]
    assert dataset.subjects.tolist() == ["7", "p2", ""]
    columns["split"] = ["train", "vale", ""]
    with pytest.raises(DataError, match=r"test\.parquet, row 1: Unknown split 'vale': did you"):
        read_dataset(write(tmp_path / "test.parquet", columns))


def test_plain_bytes_and_names_are_read(tmp_path):
    columns = {"img_bytes": [png(face(code)) for code in range(3)], "labels": NAMES}
    path = write(tmp_path / "faces.parquet", columns)
    assert find_reader(path)[0] == "hugging-face"
    np.testing.assert_array_equal(read_dataset(path).images, [face(code) for code in range(3)])


def test_numbers_without_names_are_named_by_the_user(tmp_path):
    path = write(tmp_path / "faces.parquet", {"image": images((0, 1, 2)), "emotion": [0, 1, 2]})
    with pytest.raises(MienError, match=r"unknown class names '0', '1', '2'; .* given with --name"):
        read_dataset(path)
    dataset = read_dataset(path, names=ClassNames({"0": "fear", "1": "neutral", "2": "anger"}))
    assert [sample.expression for sample in dataset] == ["fear", "neutral", "anger"]


def test_faces_without_a_label_have_none(tmp_path):
    columns = {"image": images((0, 1, 2, 1)), "label": [0, -1, None, 1]}
    dataset = read_dataset(write(tmp_path / "faces.parquet", columns, features()))
    assert [sample.expression for sample in dataset] == ["anger", "", "", "happiness"]


def test_photos_without_a_label_are_prepared_with_the_others(tmp_path):
    columns = {"image": images((0, 1, 2), 100), "label": [0, -1, 2]}
    raw = list_pictures(write(tmp_path / "faces.parquet", columns, features()))
    assert [entry.expression for entry in raw.entries] == ["anger", "", "sadness"]
    assert raw.labels.name == "four"


def test_a_split_may_be_a_number_that_the_file_names(tmp_path):
    said = {"label": {"names": NAMES}, "split": {"names": ["train", "test"]}}
    metadata = {"huggingface": json.dumps({"info": {"features": said}})}
    columns = {"image": images((0, 1, 2)), "label": [0, 1, 2], "split": [1, 0, -1]}
    dataset = read_dataset(write(tmp_path / "faces.parquet", columns, metadata))
    assert dataset.splits.tolist() == ["test", "train", ""]


def test_bytes_are_read_however_arrow_keeps_them(tmp_path):
    plain = pa.array([png(face(code)) for code in (0, 1, 0)])
    views = [pa.binary_view()] if hasattr(pa, "binary_view") else []
    kept = [plain.dictionary_encode(), *map(plain.cast, [pa.large_binary(), *views])]
    kept += [pa.StructArray.from_arrays([array], ["bytes"]) for array in kept]
    for array in kept:
        columns = {"image": array, "label": ["sad", "fear", "sad"]}
        path = write(tmp_path / "faces.parquet", columns, rows=3)
        assert find_reader(path)[0] == "hugging-face"
        wanted = [face(code) for code in (0, 1, 0)]
        np.testing.assert_array_equal(read_dataset(path).images, wanted)


def test_no_pictures_are_kept_after_reading(hub):
    read_dataset(hub)
    assert parquet._pictures.cache_info().currsize == 0


def test_a_picture_of_the_description_is_none_of_the_dataset(hub):
    for name in ("assets", "data"):
        (hub / name).mkdir(exist_ok=True)
        cv2.imwrite(str(hub / name / "preview.png"), face(0))
    assert find_reader(hub)[0] == "hugging-face"
    assert len(read_dataset(hub)) == 10


def test_a_list_beside_its_pictures_is_no_such_folder(tmp_path):
    write(tmp_path / "list.parquet", {"path": ["p/a.png"], "label": ["sad"]})
    (tmp_path / "p").mkdir()
    cv2.imwrite(str(tmp_path / "p" / "a.png"), face(0))
    assert find_reader(tmp_path)[0] == "folder"


def test_a_number_beyond_the_names_is_an_error(tmp_path):
    columns = {"image": images((0, 1, 2)), "label": [0, 1, 3]}
    path = write(tmp_path / "faces.parquet", columns, features())
    with pytest.raises(DataError, match=r"row 2: wanted a label from 0 to 2, found 3"):
        read_dataset(path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": images((0,)), "mood": [0]}, r"wanted a column of labels \(label, .*found image"),
        ({"left": images((0,)), "right": images((0,)), "label": [0]}, "wanted a column of picture"),
    ],
)
def test_columns_that_cannot_be_told_are_named(tmp_path, columns, message):
    with pytest.raises(DataError, match=message):
        read_dataset(write(tmp_path / "faces.parquet", columns))


def test_of_several_pictures_the_one_called_image_is_taken(tmp_path):
    columns = {"mask": images((2, 2)), "image": images((0, 1)), "label": ["sad", "fear"]}
    dataset = read_dataset(write(tmp_path / "faces.parquet", columns))
    np.testing.assert_array_equal(dataset.images, [face(0), face(1)])


def test_a_row_that_cannot_be_read_is_left_out_and_named(tmp_path):
    cells = [png(face(0)), b"no picture", None, png(face(1))]
    image = pa.array([{"bytes": cell, "path": "a.png"} for cell in cells], IMAGE)
    path = write(tmp_path / "faces.parquet", {"image": image, "label": [0, 1, 2, 1]}, features())
    skipped = []
    dataset = read_dataset(path, skip=skipped.append)
    assert [sample.expression for sample in dataset] == ["anger", "happiness"]
    assert "row 1" in str(skipped[0])
    assert str(skipped[1]).endswith("row 2 cannot be read: the row holds no picture.")


def test_damaged_files_are_named(hub):
    path = hub / "data" / "test-00000-of-00001-e5f6.parquet"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(DataError, match=r"test-00000-of-00001-e5f6\.parquet cannot be read as Par"):
        read_dataset(hub)


def test_a_file_that_vanishes_spoils_its_own_pictures_only(hub):
    entries = find_reader(hub)[1].entries(hub)
    (hub / "data" / "test-00000-of-00001-e5f6.parquet").unlink()
    with pytest.raises(OSError, match="No such file"):
        entries[0].file.open()
    assert entries[-1].file.open().read() == png(face(1))


def test_pictures_are_opened_in_other_processes_too(hub):
    entries = pickle.loads(pickle.dumps(find_reader(hub)[1].entries(hub)))
    assert [entry.file.open().read() for entry in entries[3:6]] == [png(face(c)) for c in range(3)]


def test_bytes_are_pictures_by_their_name_or_by_the_features(tmp_path):
    columns = {"face": [png(face(code)) for code in range(3)], "label": [0, 1, 2]}
    path = write(tmp_path / "faces.parquet", columns)
    with pytest.raises(
        DataError, match=r"wanted a column of pictures \(image, .*found face, label"
    ):
        read_dataset(path, layout="hugging-face")
    said = {"face": {"_type": "Image"}, "label": {"names": NAMES}}
    metadata = {"huggingface": json.dumps({"info": {"features": said}})}
    assert len(read_dataset(write(path, columns, metadata))) == 3


@pytest.mark.parametrize("name", ["embedding", "image"])
def test_a_list_with_bytes_beside_is_a_list(tmp_path, name):
    cv2.imwrite(str(tmp_path / "a.png"), face(0))
    columns = {"Path": ["a.png"], "Label": ["sad"], name: [b"\0\1"]}
    path = write(tmp_path / "list.parquet", columns)
    assert find_reader(path)[0] == "manifest"
    assert read_dataset(path).ids.tolist() == ["a.png"]
    columns = {"path": ["a.png"], "label": ["sad"], "image": images((0,))}
    assert find_reader(write(path, columns))[0] == "hugging-face"


def test_lists_and_folders_of_pictures_are_no_such_dataset(hub, tmp_path):
    listed = write(tmp_path / "list.parquet", {"path": ["a.png"], "label": ["sad"]})
    assert find_reader(listed)[0] == "manifest"
    (hub / "happy").mkdir()
    cv2.imwrite(str(hub / "happy" / "a.png"), face(0))
    assert find_reader(hub)[0] == "folder"


def test_without_pyarrow_the_extra_is_named(hub, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.delattr(pa, "parquet")
    for path in (hub, next(hub.glob("data/*"))):
        with pytest.raises(MissingExtraError, match=r"Reading Parquet needs the extra \[parquet\]"):
            read_dataset(path)


def test_a_store_s_table_alone_is_such_a_file(hub, tmp_path):
    dataset = read_dataset(hub)
    write_store(dataset, tmp_path / "store")
    (tmp_path / "store" / "dataset.json").unlink()
    again = read_dataset(tmp_path / "store")
    np.testing.assert_array_equal(again.images, dataset.images)
    np.testing.assert_array_equal(again.targets, dataset.targets)
    np.testing.assert_array_equal(again.splits, dataset.splits)


def test_photos_in_parquet_are_prepared(tmp_path):
    columns = {"image": images((0, 1, 2), 100), "label": NAMES}
    path = write(tmp_path / "photos-train.parquet", columns)
    raw = list_pictures(path)
    settings = Preparation(detector=NO_DETECTOR, size=48)
    with prepare(raw, settings, tmp_path / "out", jobs=2) as outcomes:
        dataset = prepared_dataset(raw, outcomes, settings)
    assert dataset.images.shape == (3, 48, 48)
    assert dataset.splits.tolist() == ["train"] * 3
    assert "3 with a face" in dataset.history[0]
