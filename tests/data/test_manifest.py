import numpy as np
import pandas as pd
import PIL.Image
import pytest

import makers
from mien.data.readers import read_dataset
from mien.errors import DataError, MienError

ROWS = [
    {"path": "pictures/a.png", "label": "Happy", "subject": "p1", "split": "Training"},
    {"path": "pictures/b.png", "label": "sadness", "subject": "p2", "split": "test"},
    {"path": "pictures/c.png", "label": "ANGRY", "subject": "", "split": ""},
]


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "pictures").mkdir()
    for code, row in enumerate(ROWS):
        image = makers.drawn_face(code, np.random.default_rng(code))
        PIL.Image.fromarray(image).save(tmp_path / row["path"])
    return tmp_path


def write(folder, rows, suffix=".csv"):
    path = folder / f"list{suffix}"
    frame = pd.DataFrame(rows)
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_list_is_read_in_its_order(pictures, suffix):
    dataset = read_dataset(write(pictures, ROWS, suffix))
    assert [s.expression for s in dataset] == ["happiness", "sadness", "anger"]
    assert dataset.splits.tolist() == ["train", "test", ""]
    assert dataset.subjects.tolist() == ["p1", "p2", ""]
    assert dataset.ids.tolist() == [row["path"] for row in ROWS]
    assert dataset.labels.name == "four"


def test_subject_and_split_may_be_missing(pictures):
    rows = [{"path": row["path"], "label": row["label"]} for row in ROWS]
    assert set(read_dataset(write(pictures, rows)).splits) == {""}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "joyous"}, "unknown class names 'joyous'"),
        ({"split": "trian"}, "row 2: Unknown split 'trian': did you mean 'train'"),
        ({"path": ""}, "row 2: wanted a value in 'path', found none"),
        ({"path": "pictures/none.png"}, r"row 2: .*none\.png cannot be read: No such file"),
    ],
)
def test_a_wrong_row_is_named(pictures, change, message):
    with pytest.raises(MienError, match=message):
        read_dataset(write(pictures, [ROWS[0] | change, *ROWS[1:]]))


def test_missing_pictures_can_be_left_out(pictures):
    (pictures / ROWS[1]["path"]).unlink()
    skipped = []
    dataset = read_dataset(write(pictures, ROWS), skip=skipped.append)
    assert len(dataset) == 2
    assert "row 3" in str(skipped[0])


def test_a_list_without_its_columns_says_so(pictures):
    with pytest.raises(DataError, match=r"wanted the columns path,label\[,subject,split\]"):
        read_dataset(write(pictures, [{"file": "a.png", "label": "happy"}]))
    (pictures / "list.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_dataset(pictures / "list.parquet")


def test_subject_0_is_somebody(pictures):
    rows = [row | {"subject": number} for number, row in enumerate(ROWS)]
    for suffix in (".csv", ".parquet"):
        assert read_dataset(write(pictures, rows, suffix)).subjects.tolist() == ["0", "1", "2"]


def test_a_path_with_a_zero_character_is_one_sentence(pictures):
    path = write(pictures, [ROWS[0] | {"path": "pictures/a\0.png"}], ".parquet")
    with pytest.raises(DataError, match="cannot be read: no path holds a zero character"):
        read_dataset(path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_blanks_round_a_subject_make_no_other_person(pictures, suffix):
    rows = [row | {"subject": who} for row, who in zip(ROWS, (" S01", "S01 ", "S01"))]
    assert read_dataset(write(pictures, rows, suffix)).subjects.tolist() == ["S01"] * 3


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_columns_may_be_written_large_and_have_blanks(pictures, suffix):
    names = {"path": "Path", "label": "LABEL", "subject": " Subject", "split": "Split "}
    rows = [{names[name]: value for name, value in row.items()} for row in ROWS]
    dataset = read_dataset(write(pictures, rows, suffix))
    assert dataset.splits.tolist() == ["train", "test", ""]
    assert dataset.subjects.tolist() == ["p1", "p2", ""]


def test_two_columns_that_mean_the_same_are_refused(pictures):
    rows = [row | {"Subject": "p9"} for row in ROWS]
    with pytest.raises(DataError, match="wanted one column 'subject', found 2"):
        read_dataset(write(pictures, rows))


@pytest.mark.parametrize(
    "row", ["pictures/b.png,sad, really,p2,test", "pictures/b.png,sad", '"pictures/b.png,sad"']
)
def test_a_row_of_other_length_is_named(pictures, row):
    path = pictures / "list.csv"
    path.write_text(f"path,label,subject,split\npictures/a.png,happy,p1,test\n\n{row}\n")
    with pytest.raises(DataError, match=r"list\.csv, line 4: must have 4 cells, as the first line"):
        read_dataset(path)


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_stand_apart_as_spreadsheets_save_them(pictures, separator, start):
    path = pictures / "list.csv"
    lines = ["path,label,subject", "pictures/a.png,happy,p1", "pictures/b.png,sad,p2"]
    text = "\n".join(lines).replace(",", separator)
    path.write_text(f"{start}{text}\n", encoding="utf-8")
    dataset = read_dataset(path)
    assert dataset.ids.tolist() == ["pictures/a.png", "pictures/b.png"]
    assert dataset.subjects.tolist() == ["p1", "p2"]


def test_a_first_line_with_more_commas_has_commas(pictures):
    path = pictures / "list.csv"
    path.write_text('path,label,"a;b"\npictures/a.png,happy,x;y\n')
    assert read_dataset(path).ids.tolist() == ["pictures/a.png"]
