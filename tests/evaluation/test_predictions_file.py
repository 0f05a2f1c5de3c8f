import numpy as np
import pandas as pd
import pytest

from mien.data.dataset import NO_TARGET
from mien.errors import DataError
from mien.evaluation.predict import predict
from mien.evaluation.predictions_file import read_predictions, write_predictions
from mien.labels import label_set

HEADER = "id,truth,split,p_angry,Happy,prob_sadness\n"


def write_csv(folder, text, header=HEADER):
    path = folder / "theirs.csv"
    path.write_text(header + text)
    return path


def test_what_is_written_is_read(small_run, small_dataset, tmp_path):
    (table, _) = predict(small_run.module(), small_dataset)
    table = table.calibrated(0.7)
    write_predictions(table, tmp_path / "p.parquet")
    back = read_predictions(tmp_path / "p.parquet")
    np.testing.assert_allclose(back.probabilities, table.probabilities, atol=1e-12)
    np.testing.assert_allclose(
        back.calibrated(1.0).probabilities, table.calibrated(1.0).probabilities, atol=1e-9
    )
    for name in ("ids", "splits", "truth", "leaked", "subjects", "sources", "votes"):
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))
    assert (back.labels, back.dataset, back.temperature) == (table.labels, "fer2013", 0.7)
    assert back.measures.keys() == {"brightness", "sharpness"}
    brightness = small_dataset.images[np.isin(small_dataset.ids, table.ids)].mean(axis=(1, 2))
    np.testing.assert_allclose(back.measures["brightness"], brightness)
    # Anyone can recompute it.
    columns = pd.read_parquet(tmp_path / "p.parquet")
    assert columns["p_anger"].tolist() == pytest.approx(table.probabilities[:, 0].tolist())
    assert set(columns["truth"].dropna()) <= set(table.labels.expressions)


def test_single_precision_keeps_seven_digits_in_half_the_space(tmp_path, small_run, small_dataset):
    (table, _) = predict(small_run.module(), small_dataset)
    full, single = tmp_path / "full.parquet", tmp_path / "single.parquet"
    write_predictions(table, full)
    write_predictions(table, single, single_precision=True)
    back = read_predictions(single)
    np.testing.assert_allclose(back.probabilities, table.probabilities, rtol=1e-6, atol=1e-30)
    shares = [f"p_{expression}" for expression in table.labels.expressions]
    sizes = [
        pd.read_parquet(path)[shares].memory_usage(index=False).sum() for path in (full, single)
    ]
    assert sizes[1] * 2 == sizes[0]


def test_other_programs_predictions_are_read(tmp_path):
    path = write_csv(tmp_path, "a,happy,test,0,1,0\nb,,val,.2,.3,.5\nc,Angry,test,.6,.3,.1\n")
    table = read_predictions(path)
    assert table.labels.expressions == ("anger", "happiness", "sadness")
    assert table.truth.tolist() == [1, NO_TARGET, 0]
    assert table.splits.tolist() == ["test", "val", "test"]
    np.testing.assert_allclose(
        table.probabilities, [[0, 1, 0], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], atol=1e-9
    )
    assert table.model == "theirs"


def test_our_columns_are_found_in_capitals_and_with_spaces(tmp_path):
    header = " ID , Truth, Split,p_sad,p_happy\n"
    table = read_predictions(write_csv(tmp_path, "a,happy,val,0,1\n", header))
    assert table.ids.tolist() == ["a"]
    assert table.truth.tolist() == [0]
    assert table.splits.tolist() == ["val"]
    with pytest.raises(DataError, match="has two columns 'id'"):
        read_predictions(write_csv(tmp_path, "a,b,0,1\n", "id,ID,p_sad,p_happy\n"))


def test_flags_and_empty_cells_are_understood(tmp_path):
    header = "id,sad,happy,leaked,face_size\n"
    table = read_predictions(write_csv(tmp_path, "a,1,0,1.0,\nb,0,1,False,80\n", header))
    assert table.leaked.tolist() == [True, False]
    np.testing.assert_array_equal(table.measures["face_size"], [np.nan, 80])


def test_known_sets_of_columns_have_their_names(tmp_path):
    names = label_set("basic7").expressions
    path = write_csv(tmp_path, f"a,{','.join(['1', *['0'] * 6])}\n", f"id,{','.join(names)}\n")
    assert read_predictions(path).labels == label_set("basic7")


@pytest.mark.parametrize(
    ("text", "header", "message"),
    [
        ("", HEADER, "holds no predictions"),
        ("a,happy,test,.5,.5,nan\n", HEADER, "row 1 of 1: probabilities must be numbers"),
        ("a,happy,test,.5,.7,-.2\n", HEADER, r"from 0 to 1. Got 0.5, 0.7, -0.2"),
        ("a,happy,test,.5,.4,.2\n", HEADER, r"must add up to 1. Got 1.1"),
        ("a,happy,test,.5,x,.5\n", HEADER, "row 1: wanted a number, found 'x'"),
        ("a,happy,test,1,0,0\na,happy,test,1,0,0\n", HEADER, r"name each face once. Got 'a' 2"),
        ("a,fear,test,1,0,0\n", HEADER, "the truth 'fear' has no column"),
        ("a,hapy,test,1,0,0\n", HEADER, "the truth 'hapy' has no column"),
        ("a,happy,best,1,0,0\n", HEADER, "must be one of train, val, test. Got 'best'"),
        ("a,1\n", "id,p_happy\n", "probabilities for two or more of"),
        ("a,.5,.2,.3\n", "id,happy,p_happiness,sad\n", "two columns for happiness"),
        ("happy,1,0\n", "truth,p_happy,p_sad\n", "must have a column 'id'"),
        ("a,happy,test,1,0,0,7\n", HEADER, "line 2: must have 6 cells"),
        ("a,happy,test,1\n", HEADER, "line 2: must have 6 cells"),
        (",happy,test,1,0,0\n", HEADER, "row 1 of 1: the id is empty"),
        ("a,1,0\n", "id,p_sad,p_sad\n", "two columns 'p_sad'"),
        ("a,1,0,maybe\n", "id,sad,happy,leaked\n", "leaked must be true or false. Got 'maybe'"),
        ("a,1,0,3\n", "id,sad,happy,votes_anger\n", "must have all ten columns of votes"),
        ("a,1,0,wide\n", "id,sad,happy,face_size\n", "row 1: wanted a number, found 'wide'"),
    ],
)
def test_bad_predictions_are_one_sentence(tmp_path, text, header, message):
    with pytest.raises(DataError, match=message) as found:
        read_predictions(write_csv(tmp_path, text, header))
    assert "theirs.csv" in str(found.value)


def test_what_is_no_parquet_file_is_said(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"no")
    with pytest.raises(DataError, match="is not a Parquet file that can be read"):
        read_predictions(tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"none\.parquet does not exist"):
        read_predictions(tmp_path / "none.parquet")
    with pytest.raises(DataError, match=r"none\.csv cannot be opened"):
        read_predictions(tmp_path / "none.csv")


@pytest.mark.parametrize("digits", [2, 3, 6])
def test_rounded_probabilities_are_read(tmp_path, digits):
    generator = np.random.default_rng(0)
    names = label_set("basic7").expressions
    shares = generator.dirichlet(np.ones(7), 300).round(digits)
    rows = "".join(f"f{i},{','.join(map(str, row))}\n" for i, row in enumerate(shares))
    found = read_predictions(write_csv(tmp_path, rows, f"id,{','.join(names)}\n"))
    whole = shares / shares.sum(1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, whole, atol=1e-12)
