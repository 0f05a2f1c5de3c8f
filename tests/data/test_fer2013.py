import tarfile
import zipfile

import numpy as np
import PIL.Image
import pytest

import makers
from mien.data.readers import read_dataset
from mien.data.readers.fer2013 import CODES
from mien.errors import DataError
from mien.labels import ClassNames

ROWS = makers.fer_rows(per_split=7)
ARCHIVES = ["fer2013.csv", "fer2013.zip", "fer2013.tar.gz", "FER2013.tgz", "my-fer2013.tar"]


@pytest.mark.parametrize("name", ARCHIVES)
def test_every_packing_gives_the_same_faces(tmp_path, name):
    path = makers.write_fer2013(tmp_path / name, makers.fer_csv(ROWS))
    dataset = read_dataset(path)
    assert dataset.images.shape == (42, 48, 48)
    assert makers.text(dataset.images[5]) == ROWS[5][1]
    assert [dataset[i].expression for i in range(7)] == list(CODES)
    assert dataset.splits.tolist() == ["train"] * 28 + ["val"] * 7 + ["test"] * 7
    assert dataset.ids[41] == "fer2013-00041"
    assert set(dataset.sources) == {"fer2013"}


def test_a_csv_with_its_columns_is_fer2013_whatever_its_name(tmp_path):
    path = makers.write_fer2013(tmp_path / "icml_face_data.csv", makers.fer_csv(ROWS))
    assert len(read_dataset(path)) == 42


def test_a_byte_order_mark_and_blank_lines_do_not_matter(tmp_path):
    content = b"\xef\xbb\xbf" + makers.fer_csv(ROWS) + b"\r\n\r\n"
    assert len(read_dataset(makers.write_fer2013(tmp_path / "fer2013.csv", content))) == 42


def test_column_order_does_not_matter(tmp_path, small_fer2013):
    lines = makers.fer_csv([[r[2], r[0], r[1]] for r in ROWS]).replace(
        b"emotion,pixels,Usage", b"Usage,emotion,pixels"
    )
    path = makers.write_fer2013(tmp_path / "fer2013.csv", lines)
    plain = makers.write_fer2013(tmp_path / "other-fer2013.csv", makers.fer_csv(ROWS))
    assert read_dataset(path).fingerprint == read_dataset(plain).fingerprint


def row(**changes):
    parts = {"emotion": "3", "pixels": ROWS[0][1], "usage": "Training"} | changes
    return [parts["emotion"], parts["pixels"], parts["usage"]]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(pixels="1 2 3"), "row 3: wanted 2304 pixels, found 3"),
        (row(pixels=ROWS[0][1] + " 7"), "wanted 2304 pixels, found 2305"),
        (row(pixels=""), "wanted 2304 pixels, found 0"),
        (row(pixels=ROWS[0][1].replace(" ", " 256 ", 1).rsplit(" ", 1)[0]), "0 to 255, found 256"),
        (row(pixels="-1 " + ROWS[0][1].split(" ", 1)[1]), "0 to 255, found -1"),
        (row(pixels="x " + ROWS[0][1].split(" ", 1)[1]), "row 3: a pixel is not a whole number"),
        (row(pixels="1.5 " + ROWS[0][1].split(" ", 1)[1]), "a pixel is not a whole number"),
        (row(emotion="8"), "row 3: wanted an emotion from 0 to 7, or one .*, found '8'"),
        (row(emotion="-"), "wanted an emotion from 0 to 7, or one that --name names, found '-'"),
        (row(emotion="glad"), "found 'glad'"),
        (row(usage="Test"), "row 3: Unknown Usage 'Test'"),
        (["3"], "row 3: wanted the columns emotion,pixels,usage, found 1 values"),
    ],
)
def test_a_bad_row_is_named(tmp_path, bad, message):
    path = makers.write_fer2013(tmp_path / "fer2013.csv", makers.fer_csv([ROWS[0], bad]))
    with pytest.raises(DataError, match=message) as caught:
        read_dataset(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found no 'emotion' in 'an empty file'"),
        (b"emotion,Usage\n0,Training\n", r"wanted the columns emotion,pixels\[,Usage\], found no"),
        (b"emotion,pixels,Usage\n", "must hold images of one size. Got no images"),
        (b"\xff\xfe\x00\x01binary", "not a CSV text file"),
    ],
)
def test_a_file_that_is_not_fer2013_says_so(tmp_path, content, message):
    path = makers.write_fer2013(tmp_path / "fer2013.csv", content)
    with pytest.raises(DataError, match=message):
        read_dataset(path)


def with_codes(path, codes, header="emotion,pixels,Usage", usage="Training"):
    rows = [",".join([code, ROWS[0][1], usage][: header.count(",") + 1]) for code in codes]
    path.write_text("\n".join([header, *rows]))
    return path


def test_the_extended_cohn_kanade_in_this_form_has_contempt(tmp_path):
    dataset = read_dataset(with_codes(tmp_path / "ckextended.csv", "01234567"))
    assert [face.expression for face in dataset] == [*CODES, "contempt"]
    assert dataset.labels.name == "ferplus8"


def test_the_user_says_what_codes_mean_and_which_are_left_out(tmp_path):
    path = with_codes(tmp_path / "own.csv", ["0", "3", "03", "9", "joy", "6"])
    names = ClassNames({"0": "sadness", "9": "contempt", "6": ""})
    dataset = read_dataset(path, names=names)
    assert [face.expression for face in dataset] == [
        *("sadness", "happiness", "happiness", "contempt", "happiness")
    ]
    assert dataset.ids.tolist() == [f"fer2013-{number:05d}" for number in range(5)]
    assert dataset.history == (
        "read: 1 faces of class '6' left out",
        "read: the classes '3' and 'joy' are one, happiness",
    )


@pytest.mark.parametrize(
    ("header", "usage"),
    [("emotion,pixels", ""), ("emotion,pixels,Usage", ""), ("Emotion,PIXELS,usage", " NA ")],
)
def test_a_csv_without_usage_has_no_splits(tmp_path, header, usage):
    dataset = read_dataset(with_codes(tmp_path / "faces.csv", "034", header, usage))
    assert dataset.splits.tolist() == ["", "", ""]
    assert dataset.history == ()


def test_a_usage_that_some_rows_lack_is_said(tmp_path):
    rows = [ROWS[0], [*ROWS[1][:2], ""], [*ROWS[2][:2], ""]]
    dataset = read_dataset(makers.write_fer2013(tmp_path / "a.csv", makers.fer_csv(rows)))
    assert dataset.splits.tolist() == ["train", "", ""]
    assert dataset.history == ("read: 2 of 3 faces have no split",)


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_list_that_is_named_so_is_a_list(tmp_path, separator):
    PIL.Image.new("L", (4, 4)).save(tmp_path / "a.png")
    path = tmp_path / "fer2013_4classes.csv"
    path.write_text("path,label\na.png,happy\n".replace(",", separator))
    dataset = read_dataset(path)
    assert (dataset.name, dataset.ids.tolist()) == ("manifest", ["a.png"])


@pytest.mark.parametrize("name", ["faces.csv", "fer2013.csv"])
def test_a_list_with_its_columns_is_a_list(tmp_path, name):
    PIL.Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / name).write_text("path,label,emotion,pixels\na.png,happy,3,16\n")
    dataset = read_dataset(tmp_path / name)
    assert (dataset.name, dataset.ids.tolist()) == ("manifest", ["a.png"])


@pytest.mark.parametrize("name", ["faces.csv", "fer2013.zip"])
@pytest.mark.parametrize("separator", [b";", b"\t"])
def test_columns_may_stand_apart_otherwise(tmp_path, name, separator):
    content = makers.fer_csv(ROWS)
    plain = read_dataset(makers.write_fer2013(tmp_path / "plain.csv", content))
    path = makers.write_fer2013(tmp_path / name, content.replace(b",", separator))
    dataset = read_dataset(path)
    assert (dataset.name, dataset.fingerprint) == ("fer2013", plain.fingerprint)


@pytest.mark.parametrize("empty", ["", " ", "NA"])
def test_a_face_without_an_emotion_has_no_label(tmp_path, empty):
    dataset = read_dataset(with_codes(tmp_path / "faces.csv", ["3", empty, "4"]))
    assert [face.expression for face in dataset] == ["happiness", "", "sadness"]
    assert dataset.history == ("read: 1 of 3 faces have no label",)


def test_archives_without_the_csv_or_damaged_say_so(tmp_path):
    empty = tmp_path / "fer2013.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("other.csv", "a")
    with pytest.raises(DataError, match=r"holds no fer2013.csv: it holds other.csv"):
        read_dataset(empty)
    for name in ("fer2013.zip", "fer2013.tar.gz"):
        damaged = tmp_path / name
        damaged.write_bytes(b"not an archive")
        with pytest.raises(DataError, match="is not a readable archive"):
            read_dataset(damaged)


def test_a_truncated_archive_says_so(tmp_path):
    path = makers.write_fer2013(tmp_path / "fer2013.tar.gz", makers.fer_csv(ROWS))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match="is not a readable archive"):
        read_dataset(path)


def test_missing_and_unknown_paths_say_so(tmp_path):
    with pytest.raises(DataError, match="No such file or folder"):
        read_dataset(tmp_path / "fer2013.zip")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match="not laid out like a known dataset"):
        read_dataset(tmp_path / "notes.txt")


@pytest.mark.data
def test_the_real_fer2013_has_the_published_counts(shared_data, real_fer2013):
    counts = real_fer2013.counts()
    assert {split: sum(c.values()) for split, c in counts.items()} == {
        "train": 28_709,
        "val": 3_589,
        "test": 3_589,
    }
    assert counts["test"]["disgust"] == 55
    assert counts["train"]["happiness"] == 7_215
    assert real_fer2013.images.dtype == np.uint8


def test_a_packed_tar_is_read_with_its_checksum(tmp_path):
    path = makers.write_fer2013(tmp_path / "fer2013.tar.gz", makers.fer_csv(ROWS))
    content = bytearray(path.read_bytes())
    content[-8] ^= 1  # the checksum's first byte
    path.write_bytes(content)
    with pytest.raises(DataError, match="is not a readable archive: CRC check failed"):
        read_dataset(path)


def test_a_link_to_nothing_in_a_tar_says_so(tmp_path):
    path = tmp_path / "fer2013.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("other.csv", "fer2013.csv"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "gone.csv"
            tar.addfile(link)
    with pytest.raises(DataError, match=r"fer2013\.csv is a link to gone\.csv, which it does not"):
        read_dataset(path)


def test_a_damaged_lzma_archive_says_so(tmp_path):
    path = tmp_path / "fer2013.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("fer2013.csv", makers.fer_csv(ROWS))
    content = bytearray(path.read_bytes())
    content[60:90] = b"\xff" * 30
    path.write_bytes(content)
    with pytest.raises(DataError, match="is not a readable archive"):
        read_dataset(path)


@pytest.mark.parametrize("inside", ["fer2013.csv", "fer2013/fer2013.csv"])
def test_a_zip_that_holds_the_csv_is_fer2013_whatever_its_name(tmp_path, inside):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("fer2013.csv/", "")  # a folder of that name comes first
        archive.writestr(inside, makers.fer_csv(ROWS))
    dataset = read_dataset(tmp_path / "archive.zip")
    assert (dataset.name, len(dataset)) == ("fer2013", 42)


def test_a_header_in_quotes_is_fer2013_too(tmp_path):
    content = makers.fer_csv(ROWS).replace(b"emotion,pixels,Usage", b'"emotion","pixels","Usage"')
    dataset = read_dataset(makers.write_fer2013(tmp_path / "faces.csv", content))
    assert (dataset.name, len(dataset)) == ("fer2013", 42)
